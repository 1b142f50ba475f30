# What the parts of the module share: names, command lines, and what every unit has.
{
  config,
  lib,
  pkgs,
}:

let
  own = import ./types.nix { inherit lib; };
  cfg = config.services.gitverify;

  home = "/var/lib/${cfg.stateDirectory}";
  state = "${home}/state";
  program = "${cfg.package}/bin/gitverify";
  repositories = builtins.attrValues cfg.repositories;
  branches = repository: lib.unique ([ repository.branch ] ++ repository.branches);
  flakeOf = repository: branch: "git+file://${repository.directory}?ref=${own.encoded branch}";
  channelOf =
    repository: branch: "http://127.0.0.1:${toString cfg.serve.port}/${repository.name}/${own.encoded branch}";
  # Every branch of every mirror: { repository, branch }.
  everything = builtins.concatMap (
    repository: map (branch: { inherit repository branch; }) (branches repository)
  ) repositories;

  # --name=VALUE: no value can be taken for another option.
  given = name: value: lib.optional (value != null) "--${name}=${toString value}";
  all = name: builtins.concatMap (given name);
  command = lib.concatMapStringsSep " " own.word;

  judgedBy =
    repository:
    given "introduction" repository.introduction
    ++ given "signer" repository.signer
    ++ given "policy-path" repository.policyPath
    ++ given "dialect" repository.dialect
    ++ given "max-age" repository.maxAge
    ++ given "name" repository.name
    ++ given "state" state
    ++ given "jobs" repository.jobs;

  update =
    repository:
    command (
      [
        program
        "mirror"
        "update"
        repository.directory
      ]
      ++ given "url" repository.url
      ++ all "branch" (branches repository)
      ++ given "keyring" repository.keyring
      ++ judgedBy repository
      ++ all "contains" repository.contains
      ++ lib.optional repository.newestAuthentic "--newest-authentic"
      ++ repository.extraOptions
    );

  # What every unit has that reads or writes mirrors.
  common = {
    # What is running is not stopped in the middle, nor does nixos-rebuild wait for it.
    restartIfChanged = false;
    environment = (config.networking.proxy.envVars or { }) // {
      HOME = home;
      # The system's configuration counts, and no file that the unit itself could write.
      GIT_CONFIG_GLOBAL = "/dev/null";
    };
  };
  contained = import ./hardening.nix // {
    User = cfg.user;
    Group = cfg.group;
    StateDirectory = "${cfg.stateDirectory} ${cfg.stateDirectory}/mirrors ${cfg.stateDirectory}/upgrade";
    # The mirrors are there to be read; marks, and what is not verified, have directories of their own.
    StateDirectoryMode = "0755";
    UMask = "0022";
    WorkingDirectory = home;
    MemoryMax = cfg.memoryMax;
  };

  withKey = builtins.filter (repository: repository.sshKey != null);

  # A run over some mirrors. Each has its own key, but they share the unit, so SSH offers the keys one after another.
  run =
    some:
    common
    // {
      unitConfig = {
        X-StopOnRemoval = false;
      }
      // lib.optionalAttrs cfg.serve.enable {
        # Which waits for a first mirror.
        OnSuccess = "gitverify-serve.service";
      };
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      inherit (cfg) onFailure;
      path = [
        pkgs.gitMinimal
        pkgs.openssh
      ];
      environment =
        common.environment
        // lib.optionalAttrs (withKey some != [ ]) {
          GIT_SSH_COMMAND = lib.concatStringsSep " " (
            [ "ssh -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes" ]
            ++ map (repository: "-i %d/${repository.name}") (withKey some)
          );
        };
      serviceConfig =
        contained
        // {
          Type = "oneshot";
          ExecStart = map update some;
          TimeoutStartSec = "7h";
        }
        // lib.optionalAttrs (withKey some != [ ]) {
          LoadCredential = map (repository: "${repository.name}:${repository.sshKey}") (withKey some);
        };
    };
in
{
  inherit
    own
    cfg
    home
    state
    program
    repositories
    branches
    flakeOf
    channelOf
    everything
    given
    command
    judgedBy
    common
    contained
    run
    ;
}
