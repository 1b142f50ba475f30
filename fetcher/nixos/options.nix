# services.gitverify: what can be set. docs/nixos.md has it as a table.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkOption types;
  own = import ./types.nix { inherit lib; };
  cfg = config.services.gitverify;

  optional =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  repository =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = own.name;
          default = name;
          readOnly = true;
          internal = true;
          description = "The attribute's name, which units and a directory are named after.";
        };
        url = mkOption {
          type = own.url;
          example = "https://example.org/config.git";
          description = "Where it is fetched from. No password or token: that would be readable by everybody.";
        };
        branch = mkOption {
          type = own.branch;
          example = "main";
          description = "The branch to have; the mirror's HEAD.";
        };
        branches = mkOption {
          type = types.listOf own.branch;
          default = [ ];
          description = "Further branches.";
        };
        introduction = mkOption {
          type = own.commit;
          description = "The commit that you trust, from the project's own pages.";
        };
        signer = optional own.key "The key that must have signed the introduction.";
        keyring = optional own.branch "A branch with OpenPGP certificates.";
        policyPath = optional own.path "The policy file, where it is not in its usual place.";
        dialect = optional (types.enum [
          "native"
          "guix"
          "openssh"
        ]) "What kind of policy it is, where the introduction's tree does not tell.";
        maxAge = optional own.duration "Refuse a branch in which no listed person has committed for so long.";
        contains = mkOption {
          type = types.listOf own.commit;
          default = [ ];
          description = "Commits that every branch must have: a floor for the first run.";
        };
        newestAuthentic = mkOption {
          type = types.bool;
          default = false;
          description = "Where a tip is refused, take the newest authentic commit below it.";
        };
        interval = mkOption {
          type = own.interval;
          default = "15min";
          description = "How long after a run the next one begins.";
        };
        jobs = optional types.ints.positive "Processes that check signatures; null: one per core.";
        strict = mkOption {
          type = types.bool;
          default = true;
          description = "Whether git fails at `verified::URL` where something is refused, rather than get what was verified before; Nix then warns, and takes what it fetched last.";
        };
        sshKey = optional own.secretFile "A private key for an SSH URL. The host's key has to be in programs.ssh.knownHosts.";
        extraOptions = mkOption {
          type = types.listOf own.option;
          default = [ ];
          example = [ "--max-size=32G" ];
          description = "Further options of `gitverify mirror update`.";
        };
        directory = mkOption {
          type = types.str;
          default = "/var/lib/${cfg.stateDirectory}/mirrors/${config.name}";
          defaultText = lib.literalExpression "\"/var/lib/gitverify/mirrors/NAME\"";
          readOnly = true;
          description = "Where the mirror is, a bare repository.";
        };
        flake = mkOption {
          type = types.str;
          default = "git+file://${config.directory}?ref=${own.encoded config.branch}";
          defaultText = lib.literalExpression "\"git+file:///var/lib/gitverify/mirrors/NAME?ref=BRANCH\"";
          readOnly = true;
          description = "The mirror's branch as a flake, for system.autoUpgrade.flake.";
        };
      };
    };
in
{
  options.services.gitverify = {
    enable = lib.mkEnableOption "mirrors that only ever hold what gitverify has verified";
    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ../package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./fetcher/package.nix { }";
      description = "The gitverify to use.";
    };
    repositories = mkOption {
      type = types.attrsOf (types.submodule repository);
      default = { };
      description = "The mirrors to keep.";
    };
    user = mkOption {
      type = own.account;
      default = "gitverify";
      description = "The user that keeps the mirrors. It is made, unless it has another name than this.";
    };
    group = mkOption {
      type = own.account;
      default = "gitverify";
      description = "That user's group. It is made, unless it has another name than this.";
    };
    stateDirectory = mkOption {
      type = own.name;
      default = "gitverify";
      description = "The directory below /var/lib for mirrors and marks.";
    };
    memoryMax = mkOption {
      type = own.size;
      default = "4G";
      description = "Memory that a run may take.";
    };
    onFailure = mkOption {
      type = types.listOf own.unit;
      default = [ ];
      example = [ "tell-me@%N.service" ];
      description = "Units to start where an update, the gate or a gated upgrade fails.";
    };
    configureGit = mkOption {
      type = types.bool;
      default = true;
      description = "Have /etc/gitconfig say that root may read the mirrors, and from what `verified::URL` is judged.";
    };
    serve = {
      enable = mkOption {
        type = types.bool;
        default = false;
        description = "Serve the mirrors to this machine, as tarballs that Nix can lock, and as channels.";
      };
      port = mkOption {
        type = own.port;
        default = 8417;
        description = "The port on 127.0.0.1.";
      };
      lastVerified = mkOption {
        type = types.bool;
        default = false;
        description = "Where a branch's last update was refused, serve what was verified before, rather than the reason.";
      };
      cacheSize = mkOption {
        type = own.size;
        default = "8G";
        description = "How much room the archives may take.";
      };
    };
    gateUpgrade = {
      enable = mkOption {
        type = types.bool;
        default = false;
        description = "Let nixos-upgrade.service run only after a verification that succeeded just then.";
      };
      inputs = mkOption {
        type = types.attrsOf types.str;
        default = { };
        example = {
          dep = "dep";
        };
        description = "The inputs in flake.lock that must be authentic, each with the name of its repository here.";
      };
      requireAll = mkOption {
        type = types.bool;
        default = false;
        description = "Refuse a flake.lock with an input that is not among these.";
      };
    };
  };
}
