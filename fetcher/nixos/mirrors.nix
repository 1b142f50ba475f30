# The units that keep the mirrors, and whose these are.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (import ./common.nix { inherit config lib pkgs; })
    cfg
    home
    repositories
    run
    ;

  mirrorUnit = repository: "gitverify-mirror-${repository.name}";
  byUnit = make: builtins.listToAttrs (map (each: lib.nameValuePair (mirrorUnit each) (make each)) repositories);

  services = byUnit (
    repository:
    lib.mkMerge [
      (run [ repository ])
      {
        description = "Bring the verified mirror ${repository.name} up to date";
        # What an upgrade is built from stays as it was checked until that is done.
        after = [ "nixos-upgrade.service" ];
      }
    ]
  );

  timers = byUnit (repository: {
    description = "Bring the verified mirror ${repository.name} up to date";
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnBootSec = "2min";
      OnUnitActiveSec = repository.interval;
      RandomizedDelaySec = "1min";
    };
  });
in
{
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    systemd = { inherit services timers; };
    users.users = lib.optionalAttrs (cfg.user == "gitverify") {
      gitverify = {
        isSystemUser = true;
        inherit (cfg) group;
        inherit home;
        description = "Keeps verified mirrors";
      };
    };
    users.groups = lib.optionalAttrs (cfg.group == "gitverify") { gitverify = { }; };
  };
}
