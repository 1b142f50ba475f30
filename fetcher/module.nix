# The NixOS module services.gitverify: mirrors that hold nothing unverified, and upgrades from nothing else.
# docs/nixos.md has an example, and what this does not protect from.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  own = import ./nixos/types.nix { inherit lib; };
  cfg = config.services.gitverify;
  gate = cfg.gateUpgrade;
  upgrade = config.system.autoUpgrade;

  home = "/var/lib/${cfg.stateDirectory}";
  state = "${home}/state";
  program = "${cfg.package}/bin/gitverify";
  repositories = builtins.attrValues cfg.repositories;
  branches = repository: lib.unique ([ repository.branch ] ++ repository.branches);
  flakes = repository: map (name: "git+file://${repository.directory}?ref=${own.encoded name}") (branches repository);

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

  withKey = builtins.filter (repository: repository.sshKey != null);

  # A run over some mirrors. Each has its own key, but they share the unit, so SSH offers the keys one after another.
  run = some: {
    # What is running is not stopped in the middle, nor does nixos-rebuild wait for it.
    restartIfChanged = false;
    unitConfig.X-StopOnRemoval = false;
    wants = [ "network-online.target" ];
    after = [ "network-online.target" ];
    inherit (cfg) onFailure;
    path = [
      pkgs.gitMinimal
      pkgs.openssh
    ];
    environment = (config.networking.proxy.envVars or { }) // {
      HOME = home;
      # The system's configuration counts, and no file that the unit itself could write.
      GIT_CONFIG_GLOBAL = "/dev/null";
    }
    // lib.optionalAttrs (withKey some != [ ]) {
      GIT_SSH_COMMAND = lib.concatStringsSep " " (
        [ "ssh -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes" ]
        ++ map (repository: "-i %d/${repository.name}") (withKey some)
      );
    };
    serviceConfig =
      import ./nixos/hardening.nix
      // {
        Type = "oneshot";
        ExecStart = map update some;
        User = cfg.user;
        Group = cfg.group;
        StateDirectory = "${cfg.stateDirectory} ${cfg.stateDirectory}/mirrors";
        # The mirrors are there to be read; marks, and what is not verified, have directories of their own.
        StateDirectoryMode = "0755";
        UMask = "0022";
        WorkingDirectory = home;
        MemoryMax = cfg.memoryMax;
        TimeoutStartSec = "7h";
      }
      // lib.optionalAttrs (withKey some != [ ]) {
        LoadCredential = map (repository: "${repository.name}:${repository.sshKey}") (withKey some);
      };
  };

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

  # --- the gate -----------------------------------------------------------------------------------------------------

  # Which repository and branch the upgrade is built from; none where it is something else.
  place = builtins.head (lib.splitString "#" (if upgrade.flake == null then "" else upgrade.flake));
  attribute = lib.removePrefix place (if upgrade.flake == null then "" else upgrade.flake);
  upgradesFrom = builtins.concatMap (
    repository:
    map (branch: { inherit repository branch; }) (
      builtins.filter (branch: place == "git+file://${repository.directory}?ref=${own.encoded branch}") (
        branches repository
      )
    )
  ) repositories;
  inputs = builtins.filter (name: cfg.repositories ? ${gate.inputs.${name}}) (builtins.attrNames gate.inputs);
  ofInput = name: cfg.repositories.${gate.inputs.${name}};
  gated = lib.unique (
    map (each: each.repository.name) upgradesFrom ++ map (name: (ofInput name).name) inputs
  );

  # The unit is root's. What reads a repository is not, and sees nothing of root's environment.
  asOwner = [
    "${pkgs.util-linux}/bin/setpriv"
    "--reuid=${cfg.user}"
    "--regid=${cfg.group}"
    "--clear-groups"
    "--no-new-privs"
    "--inh-caps=-all"
    "--bounding-set=-all"
    "--"
    "${pkgs.coreutils}/bin/env"
    "-i"
    "PATH=${pkgs.gitMinimal}/bin"
    "HOME=${home}"
    "GIT_CONFIG_GLOBAL=/dev/null"
    program
  ];

  markChecks =
    { repository, branch }:
    # A keyring's branch is not in the mirror, so only the update itself can judge by it.
    lib.optional (repository.keyring == null) (
      command (
        asOwner
        ++ [
          "verify"
          "refs/heads/${branch}"
        ]
        ++ given "repo" repository.directory
        ++ given "ref" "refs/heads/${branch}"
        ++ judgedBy repository
      )
    );

  lockChecks =
    { repository, branch }:
    lib.optional (gate.inputs != { } || gate.requireAll) (
      command (
        asOwner
        ++ [
          "flake"
          "check"
        ]
        ++ given "repo" repository.directory
        ++ given "rev" "refs/heads/${branch}"
        # Who may change the flake may lock an older input; that is for a check before the merge.
        ++ given "base" "refs/heads/${branch}"
        ++ builtins.concatMap (
          name:
          let
            input = ofInput name;
            of = option: value: lib.optional (value != null) "--${option}=${name}=${value}";
          in
          of "introduction" input.introduction ++ of "signer" input.signer ++ of "mirror" input.directory
        ) inputs
        ++ lib.optional gate.requireAll "--require-all"
        ++ given "state" state
      )
    );

  words = builtins.concatMap (lib.splitString " ") upgrade.flags;
  # With one of these, Nix builds something else than the lock has.
  changesLock = [
    "--update-input"
    "--override-input"
    "--recreate-lock-file"
    "--reference-lock-file"
    "--commit-lock-file"
    "--impure"
  ];

  gateAssertions = [
    {
      assertion = upgrade.enable;
      message = "services.gitverify.gateUpgrade has nothing to gate: set system.autoUpgrade.enable";
    }
    {
      assertion = upgrade.flake != null && (upgrade.channel or null) == null;
      message =
        "services.gitverify.gateUpgrade: an upgrade from a channel is verified by nobody: set system.autoUpgrade.flake to "
        + "config.services.gitverify.repositories.NAME.flake, and no channel";
    }
    {
      assertion =
        upgrade.flake == null
        || upgradesFrom != [ ] && builtins.match "(#[A-Za-z0-9_.-]*)?" attribute != null;
      message =
        "services.gitverify.gateUpgrade: system.autoUpgrade.flake is no verified mirror. It has to be one of: "
        + lib.concatStringsSep " " (builtins.concatMap flakes repositories)
        + " (and perhaps #ATTRIBUTE behind it)";
    }
    {
      assertion = !builtins.any (word: builtins.elem word changesLock) words;
      message =
        "services.gitverify.gateUpgrade: with one of these in system.autoUpgrade.flags, something else would be built "
        + "than what was verified: ${toString changesLock}";
    }
    {
      assertion = builtins.length inputs == builtins.length (builtins.attrNames gate.inputs);
      message =
        "services.gitverify.gateUpgrade.inputs names a repository that services.gitverify.repositories does not have: "
        + toString (builtins.attrValues (builtins.removeAttrs gate.inputs inputs));
    }
    {
      assertion = builtins.all (name: builtins.match "[A-Za-z0-9_][A-Za-z0-9_'/-]*" name != null) (
        builtins.attrNames gate.inputs
      );
      message = "services.gitverify.gateUpgrade.inputs: the input's name in flake.lock, or its path such as dep/nixpkgs";
    }
  ];

  # --- git's configuration ------------------------------------------------------------------------------------------

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
  imports = [ ./nixos/options.nix ];

  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      {
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
      }
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
      (lib.mkIf upgrade.enable {
        # git-remote-verified, for inputs that are verified::URL.
        systemd.services.nixos-upgrade.path = [ cfg.package ];
      })
      (lib.mkIf gate.enable {
        assertions = gateAssertions;
        # Otherwise Nix locks again, without asking, what flake.nix wants otherwise than the lock has it.
        system.autoUpgrade.flags = [ "--no-update-lock-file" ];
        systemd.services.gitverify-gate = lib.mkMerge [
          (run (map (name: cfg.repositories.${name}) gated))
          { description = "Verify, now, what the system is upgraded from"; }
        ];
        systemd.services.nixos-upgrade = {
          # A oneshot is not active once it has ended, so it runs again before every upgrade.
          requires = [ "gitverify-gate.service" ];
          after = [ "gitverify-gate.service" ];
          inherit (cfg) onFailure;
          serviceConfig.ExecStartPre = builtins.concatMap markChecks upgradesFrom ++ builtins.concatMap lockChecks upgradesFrom;
        };
      })
    ]
  );
}
