# The options of NixOS that fetcher/module.nix sets or reads, and its nixos-upgrade.service: with any lib.
{ config, lib, ... }:

let
  inherit (lib) mkOption types;
  of =
    type: default:
    mkOption {
      inherit type default;
    };
  any = types.attrsOf types.unspecified;
  names = of (types.listOf types.str) [ ];
  unit = {
    description = of types.str "";
    requires = names;
    wants = names;
    after = names;
    wantedBy = names;
    onFailure = names;
    unitConfig = of any { };
  };
  service = unit // {
    path = of (types.listOf types.package) [ ];
    environment = of (types.attrsOf types.str) { };
    restartIfChanged = of types.bool true;
    serviceConfig = of any { };
    script = of types.lines "";
  };
  timer = unit // {
    timerConfig = of any { };
  };
in
{
  options = {
    assertions = of (types.listOf types.unspecified) [ ];
    warnings = of (types.listOf types.str) [ ];
    environment.systemPackages = of (types.listOf types.package) [ ];
    networking.proxy.envVars = of (types.attrsOf types.str) { };
    programs.git.enable = of types.bool false;
    programs.git.config = of (types.listOf any) [ ];
    users.users = of (types.attrsOf any) { };
    users.groups = of (types.attrsOf any) { };
    systemd.services = of (types.attrsOf (types.submodule { options = service; })) { };
    systemd.timers = of (types.attrsOf (types.submodule { options = timer; })) { };
    system.autoUpgrade = {
      enable = of types.bool false;
      flake = of (types.nullOr types.str) null;
      channel = of (types.nullOr types.str) null;
      flags = names;
      storePathProvider = of (types.nullOr types.str) null;
    };
  };

  config = lib.mkIf config.system.autoUpgrade.enable {
    system.autoUpgrade.flags =
      if config.system.autoUpgrade.flake != null then
        [
          "--refresh"
          "--flake ${config.system.autoUpgrade.flake}"
        ]
      else
        [ "--no-build-output" ]
        ++ (
          if config.system.autoUpgrade.channel != null then
            [
              "-I"
              "nixpkgs=${config.system.autoUpgrade.channel}/nixexprs.tar.xz"
            ]
          else
            [ ]
        );
    systemd.services.nixos-upgrade = {
      description = "NixOS Upgrade";
      restartIfChanged = false;
      environment.HOME = "/root";
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      serviceConfig.Type = "oneshot";
      serviceConfig.ExecStart = "/bin/true";
    };
  };
}
