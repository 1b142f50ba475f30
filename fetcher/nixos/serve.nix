# The gateway: the mirrors over HTTP, for this machine.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (import ./common.nix { inherit config lib pkgs; })
    cfg
    state
    program
    repositories
    given
    command
    common
    contained
    ;

  serving = common // {
    description = "Serve the verified mirrors to this machine";
    wantedBy = [ "multi-user.target" ];
    restartIfChanged = true;
    # At first there is no mirror yet; whatever makes one starts this.
    after = [ "gitverify-gate.service" ];
    unitConfig.ConditionPathExists = map (repository: "${repository.directory}/gitverify/mirror.json") repositories;
    inherit (cfg) onFailure;
    path = [ pkgs.gitMinimal ];
    serviceConfig = contained // {
      Type = "exec";
      ExecStart = [
        (command (
          [
            program
            "serve"
          ]
          ++ map (repository: "${repository.name}=${repository.directory}") repositories
          ++ given "listen" "127.0.0.1:${toString cfg.serve.port}"
          ++ given "cache" "/var/cache/${cfg.stateDirectory}"
          ++ given "cache-size" cfg.serve.cacheSize
          ++ given "state" state
          ++ lib.optional cfg.serve.lastVerified "--last-verified"
        ))
      ];
      CacheDirectory = cfg.stateDirectory;
      CacheDirectoryMode = "0700";
      IPAddressAllow = "localhost";
      IPAddressDeny = "any";
      Restart = "on-failure";
      RestartSec = "10s";
    };
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.serve.enable) {
    systemd.services.gitverify-serve = serving;
  };
}
