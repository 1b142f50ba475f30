{
  description = "Verify that a git history was written by the people it should be written by";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      parts = pkgs: rec {
        gitverify = pkgs.callPackage ./fetcher/package.nix { };
        fetchGitVerified = pkgs.callPackage ./fetcher/fetchGitVerified.nix { inherit gitverify; };
      };
    in
    {
      # gitverify.lib.x86_64-linux.fetchGitVerified { url = …; … }
      lib = each (pkgs: { inherit (parts pkgs) fetchGitVerified; });
      packages = each (pkgs: rec {
        inherit (parts pkgs) gitverify;
        default = gitverify;
      });
      nixosModules.default = ./fetcher/module.nix;
      overlays.default = final: _: { inherit (parts final) gitverify fetchGitVerified; };
    };
}
