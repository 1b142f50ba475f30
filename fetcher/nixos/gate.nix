# gateUpgrade: nixos-upgrade.service builds what was verified just then, or nothing.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (import ./common.nix { inherit config lib pkgs; })
    own
    cfg
    home
    state
    program
    channelOf
    flakeOf
    everything
    given
    command
    judgedBy
    run
    ;
  gate = cfg.gateUpgrade;
  upgrade = config.system.autoUpgrade;

  # Which repository and branch the upgrade is built from; none where it is something else.
  flake = if upgrade.flake == null then "" else upgrade.flake;
  channel = upgrade.channel or null;
  place = builtins.head (lib.splitString "#" flake);
  attribute = lib.removePrefix place flake;
  upgradesFrom = builtins.filter (
    { repository, branch }:
    if upgrade.flake != null then
      place == flakeOf repository branch
    else
      cfg.serve.enable && channel == channelOf repository branch
  ) everything;
  inputs = builtins.filter (name: cfg.repositories ? ${gate.inputs.${name}}) (builtins.attrNames gate.inputs);
  ofInput = name: cfg.repositories.${gate.inputs.${name}};
  gated = lib.unique (
    map (each: each.repository.name) upgradesFrom ++ map (name: (ofInput name).name) inputs
  );

  # Where the checks leave what is to be built: a commit's id, or its files.
  commit = "${home}/upgrade/commit";
  files = "${home}/upgrade/nixpkgs";

  # The unit is root's. What reads a repository is not, and sees nothing of root's environment.
  owner = [
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
  ];
  asOwner = owner ++ [ program ];

  # All that follows looks at this one, whatever becomes of the branch meanwhile.
  tip = "refs/gitverify/upgrade";
  taken =
    { repository, branch }:
    command (
      owner
      ++ [
        "git"
        "--git-dir=${repository.directory}"
        "update-ref"
        "--no-deref"
        tip
        "refs/heads/${branch}"
      ]
    );

  markChecks =
    { repository, branch }:
    # A keyring's branch is not in the mirror, so only the update itself can judge by it.
    lib.optional (repository.keyring == null) (
      command (
        asOwner
        ++ [
          "verify"
          tip
        ]
        ++ given "repo" repository.directory
        ++ given "ref" "refs/heads/${branch}"
        ++ judgedBy repository
        ++ lib.optional (upgrade.flake == null) "--output=${files}"
      )
    );

  lockChecks =
    { repository, ... }:
    lib.optional (upgrade.flake != null && (gate.inputs != { } || gate.requireAll)) (
      command (
        asOwner
        ++ [
          "flake"
          "check"
        ]
        ++ given "repo" repository.directory
        ++ given "rev" tip
        # Who may change the flake may lock an older input; that is for a check before the merge.
        ++ given "base" tip
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

  before = lib.optional (upgrade.flake == null) (
    command (
      owner
      ++ [
        "${pkgs.coreutils}/bin/rm"
        "-rf"
        "--"
        files
      ]
    )
  );

  noted =
    { repository, ... }:
    if upgrade.flake == null then
      # Nix looks for a file that is not in there at the next place, which nobody has verified.
      command [
        "${pkgs.coreutils}/bin/ls"
        "${files}/nixos/default.nix"
      ]
    else
      command (
        owner
        ++ [
          "git"
          "--git-dir=${repository.directory}"
          "log"
          "-1"
          "--format=%H"
          "--no-patch"
          "--no-show-signature"
          "--output=${commit}"
          tip
          "--"
        ]
      );

  words = builtins.concatMap (
    flag: lib.splitString " " (builtins.replaceStrings [ "\t" "\n" ] [ " " " " ] flag)
  ) upgrade.flags;
  # -fFILE is one word, too.
  has = flag: word: word == flag || lib.hasPrefix (if builtins.stringLength flag == 2 then flag else "${flag}=") word;
  # With one of these, something else is built than the flake at that place, or than the lock has.
  elsewhere = [
    "--attr"
    "--commit-lock-file"
    "--file"
    "--impure"
    "--no-flake"
    "--override-input"
    "--recreate-lock-file"
    "--reference-lock-file"
    "--rollback"
    "--store-path"
    "--update-input"
    "-A"
    "-F"
    "-f"
  ];
  # NixOS itself writes it once, and this module.
  named = builtins.length (builtins.filter (has "--flake") words);

  gateAssertions = [
    {
      assertion = upgrade.enable;
      message = "services.gitverify.gateUpgrade has nothing to gate: set system.autoUpgrade.enable";
    }
    {
      assertion = upgrade.flake != null || upgradesFrom != [ ];
      message =
        "services.gitverify.gateUpgrade: an upgrade from a channel is verified by nobody. Set system.autoUpgrade.flake "
        + "to config.services.gitverify.repositories.NAME.flake; or services.gitverify.serve.enable, and "
        + "system.autoUpgrade.channel to one of: "
        + lib.concatMapStringsSep " " (each: channelOf each.repository each.branch) everything;
    }
    {
      assertion = upgrade.flake == null || channel == null;
      message = "services.gitverify.gateUpgrade: upgrade from a flake or from a channel, not from both";
    }
    {
      assertion =
        upgrade.flake == null || upgradesFrom != [ ] && builtins.match "(#[A-Za-z0-9_.-]*)?" attribute != null;
      message =
        "services.gitverify.gateUpgrade: system.autoUpgrade.flake is no verified mirror. It has to be one of: "
        + lib.concatMapStringsSep " " (each: flakeOf each.repository each.branch) everything
        + " (and perhaps #ATTRIBUTE behind it)";
    }
    {
      assertion =
        upgrade.flake != null
        || builtins.all (
          word:
          !lib.hasPrefix "nixpkgs=" word
          || word == "nixpkgs=${toString channel}/nixexprs.tar.xz"
          || word == "nixpkgs=${files}"
        ) words;
      message = "services.gitverify.gateUpgrade: system.autoUpgrade.flags has another nixpkgs than the verified channel";
    }
    {
      assertion =
        !builtins.any (word: builtins.any (flag: has flag word) elsewhere) words
        && named <= (if upgrade.flake != null then 2 else 0);
      message =
        "services.gitverify.gateUpgrade: with one of these in system.autoUpgrade.flags, something else would be built "
        + "than what was verified: --flake ${toString elsewhere}";
    }
    {
      assertion = (upgrade.storePathProvider or null) == null;
      message = "services.gitverify.gateUpgrade: what system.autoUpgrade.storePathProvider has built is verified by nobody";
    }
    {
      assertion = upgrade.flake != null || builtins.all (each: each.repository.keyring == null) upgradesFrom;
      message =
        "services.gitverify.gateUpgrade: a channel of a repository with a keyring can't be gated, as its certificates are "
        + "not in the mirror. Set system.autoUpgrade.flake";
    }
    {
      assertion = builtins.length inputs == builtins.length (builtins.attrNames gate.inputs);
      message =
        "services.gitverify.gateUpgrade.inputs names a repository that services.gitverify.repositories does not have: "
        + toString (builtins.attrValues (builtins.removeAttrs gate.inputs inputs));
    }
    {
      assertion = builtins.all own.input.check (builtins.attrNames gate.inputs);
      message = "services.gitverify.gateUpgrade.inputs: the input's name in flake.lock, or its path such as dep/nixpkgs";
    }
  ];
in
{
  config = lib.mkMerge [
    (lib.mkIf gate.enable {
      assertions = [
        {
          assertion = cfg.enable;
          message =
            "services.gitverify.gateUpgrade.enable without services.gitverify.enable gates nothing: set both, or turn off "
            + "system.autoUpgrade, too";
        }
      ];
    })
    (lib.mkIf (cfg.enable && gate.enable) {
      assertions = gateAssertions;
      warnings = lib.optional (upgrade.flake != null && gate.inputs == { } && !gate.requireAll) (
        "services.gitverify.gateUpgrade looks at no input in flake.lock: they are what the last signer locked. Name those "
        + "that have a policy in services.gitverify.gateUpgrade.inputs"
      );
      system.autoUpgrade.flags =
        if upgrade.flake != null then
          # Of two, the last counts. Without the commit's id, Nix builds what it fetched some time ago where it can't fetch.
          lib.mkAfter [
            # Otherwise Nix locks again, without asking, what flake.nix wants otherwise than the lock has it.
            "--no-update-lock-file"
            "--flake \"${place}&rev=$(< ${commit})${attribute}\""
          ]
        else
          # Of two, the first counts. What listens at the gateway's port may be anybody's, a proxy may lie between, and
          # where nothing answers Nix goes on with the next nixpkgs that it finds, which is root's own channel.
          lib.mkBefore [ "-I nixpkgs=${files}" ];
      systemd.services.gitverify-gate = lib.mkMerge [
        (run (map (name: cfg.repositories.${name}) gated))
        { description = "Verify, now, what the system is upgraded from"; }
      ];
      systemd.services.nixos-upgrade = {
        # A oneshot is not active once it has ended, so it runs again before every upgrade.
        requires = [ "gitverify-gate.service" ];
        # Not required: it may be restarted by the very upgrade that it serves.
        wants = lib.optional cfg.serve.enable "gitverify-serve.service";
        after = [ "gitverify-gate.service" ] ++ lib.optional cfg.serve.enable "gitverify-serve.service";
        inherit (cfg) onFailure;
        serviceConfig.ExecStartPre =
          before
          ++ map taken upgradesFrom
          ++ builtins.concatMap markChecks upgradesFrom
          ++ builtins.concatMap lockChecks upgradesFrom
          ++ map noted upgradesFrom;
      };
    })
  ];
}
