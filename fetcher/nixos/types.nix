# What may stand in an option, and how it gets from there into a unit, a URL and git's configuration.
#
# All of it ends up in files that root's programs read, and that everybody on the machine can: so no value holds a
# password, and none can be more than one word of a command line, or be taken for an option.
{ lib }:

let
  matches = pattern: text: builtins.match pattern text != null;

  text =
    description: is:
    lib.types.str
    // {
      inherit description;
      check = value: builtins.isString value && builtins.stringLength value <= 1000 && is value;
    };

  # Git's own rules for names (git-check-ref-format(1)), without the rarer characters.
  isBranch =
    name:
    matches "[A-Za-z0-9_][A-Za-z0-9_./+@=%$,;'\"#&!()-]*" name
    && !matches ".*([.][.]|//|/[.]).*|.*[.]lock(/.*)?|.*[./]" name
    && !matches "refs/.*|HEAD" name;

  host = "([A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9A-Fa-f:.]+])";
  user = "([A-Za-z0-9_][A-Za-z0-9_.-]*@)?";
  steps = "[A-Za-z0-9_.~%+=,@/-]*";
  isUrl =
    url:
    (
      matches "(https?|git)://${host}(:[0-9]+)?/${steps}" url
      || matches "ssh://${user}${host}(:[0-9]+)?/${steps}" url
      || matches "${user}[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9_.~]${steps}" url
      || matches "file:///${steps}" url
    )
    && !matches ".*/-.*|[^/]*::.*" url;

  printable = value: matches "[^[:cntrl:]]+" value;
in
{
  name = text "name of letters, digits and _ . -, beginning with a letter or a digit, and with no dot at its end" (
    value: matches "[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?" value && builtins.stringLength value <= 100
  );

  url = text "URL of a git repository (https, ssh, git, http or file), without password, query and fragment" isUrl;

  branch = text "name of a branch" isBranch;

  commit = text "commit id in full, 40 small hexadecimal digits" (matches "[0-9a-f]{40}");

  key = text "key: SHA256:… as ssh-keygen -l prints it, or an OpenPGP fingerprint in full, without spaces" (
    matches "SHA256:[A-Za-z0-9+/]{43}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}"
  );

  port = lib.types.int // {
    description = "port";
    check = value: builtins.isInt value && value > 0 && value < 65536;
  };

  # What gitverify takes for --max-age.
  duration = text "duration such as 14d (units s, m, h, d, w)" (matches "[0-9]{1,9}[smhdw]");

  # What systemd takes; a plain number would be seconds, which nobody means.
  interval = text "time span of systemd's such as 15min or 1h 30min" (
    matches "[1-9][0-9]{0,5} ?(s|sec|m|min|h|hr|d|w)( [1-9][0-9]{0,5} ?(s|sec|m|min|h|hr|d|w))*"
  );

  size = text "size such as 4G" (matches "[1-9][0-9]{0,5}[KMGT]");

  path = text "path within the repository" (value: printable value && !matches "/.*|-.*|(.*/)?[.][.](/.*)?" value);

  # Outside of the store: everybody can read what is in there.
  secretFile = text "absolute path of a file that is not in the Nix store" (
    value:
    matches "/[A-Za-z0-9_./@+-]+" value
    && !matches "(${builtins.storeDir}|/nix/store)/.*" value
    && !matches "(.*/)[.][.]?(/.*)?" value
  );

  # What a person decides once is no setting.
  option = text "long option such as --timeout=30m, but for --allow-rollback" (
    value: printable value && matches "--[a-z][a-z-]*(=.*)?" value && !matches "--allow-rollback.*" value
  );

  unit = text "name of a unit" (
    matches "[A-Za-z0-9@%:_.\\-]+[.](service|target|socket|path|timer)"
  );

  input = text "name of a flake's input, or its path such as dep/nixpkgs" (matches "[A-Za-z0-9_][A-Za-z0-9_'/-]*");

  account = text "name of a user or group" (matches "[a-z_][a-z0-9_-]{0,30}");

  # One word in an Exec… line: neither a specifier, nor a variable, nor the end of a quotation.
  word =
    value:
    builtins.replaceStrings
      [
        "%"
        "$"
      ]
      [
        "%%"
        "$$"
      ]
      (builtins.toJSON "${toString value}");

  # A value in a URL's query that goes through a shell unquoted, as nixos-upgrade.service has it.
  encoded =
    let
      ascii = {
        "!" = "21";
        "\"" = "22";
        "#" = "23";
        "$" = "24";
        "%" = "25";
        "&" = "26";
        "'" = "27";
        "(" = "28";
        ")" = "29";
        "+" = "2B";
        "," = "2C";
        ";" = "3B";
        "=" = "3D";
        "@" = "40";
      };
      signs = builtins.attrNames ascii;
    in
    builtins.replaceStrings signs (map (sign: "%${ascii.${sign}}") signs);
}
