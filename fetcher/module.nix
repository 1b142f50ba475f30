# The NixOS module services.gitverify: mirrors that hold nothing unverified, and upgrades from nothing else.
# docs/nixos.md has an example, and what this does not protect from.
{
  imports = [
    ./nixos/options.nix
    ./nixos/mirrors.nix
    ./nixos/git.nix
    ./nixos/serve.nix
    ./nixos/gate.nix
  ];
}
