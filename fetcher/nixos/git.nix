# /etc/gitconfig: what root may read, and from what verified::URL is judged; the helper where upgrades find it.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (import ./common.nix { inherit config lib pkgs; })
    cfg
    repositories
    branches
    ;

  forUrl =
    repository:
    lib.nameValuePair "url:${repository.url}" (
      lib.filterAttrs (_: value: value != null) {
        inherit (repository)
          introduction
          signer
          keyring
          policyPath
          dialect
          maxAge
          strict
          ;
        branches = toString (branches repository);
      }
    );
in
{
  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      (lib.mkIf cfg.configureGit {
        assertions = [
          {
            assertion = builtins.length (lib.unique (map (each: each.url) repositories)) == builtins.length repositories;
            message =
              "services.gitverify.repositories: two of them have the same url, and verified::URL is judged from one. "
              + "Make one of them, with branches, or set services.gitverify.configureGit = false";
          }
        ];
        programs.git = {
          enable = true;
          # In a list, so that it stands beside what others set, and not against it.
          config = [
            {
              # They are not root's, and git asks whether that is meant.
              safe.directory = map (repository: repository.directory) repositories;
              gitverify = builtins.listToAttrs (map forUrl repositories);
            }
          ];
        };
      })
      (lib.mkIf config.system.autoUpgrade.enable {
        # git-remote-verified, for inputs that are verified::URL.
        systemd.services.nixos-upgrade.path = [ cfg.package ];
      })
    ]
  );
}
