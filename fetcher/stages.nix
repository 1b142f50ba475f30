# The two stages of fetchGitVerified, whatever it is that makes derivations.
#
# `build { name, command, fixed ? null, environment }` returns a derivation that runs a shell command in an empty
# directory, with gitverify and git on its PATH. `fixed` is the hash of the directory that the command makes of $out;
# with one, the command may use the network.
#
# A derivation whose hash is known is not run where its result is in the store already, or in a substituter: whatever it
# would have checked, it does not. So the first stage only *brings* evidence, and nothing trusts it; the second one, an
# ordinary derivation, verifies it, and its result hangs on the introduction, the signer and gitverify itself.
{ build }:

{
  url,
  # The commit, by its whole id.
  rev,
  # The hash of the evidence: gitverify nix prefetch prints it.
  hash,
  # The commit from which all is judged, by its whole id; it comes from the project's own pages.
  introduction,
  # The key that must have signed the introduction: SHA256:… or an OpenPGP fingerprint.
  signer ? null,
  # A commit with OpenPGP certificates, by its whole id; a Guix channel needs one.
  keyring ? null,
  dialect ? null,
  policyPath ? null,
  # A branch that has the commit, for servers that give none by its id. No verdict hangs on it.
  branch ? null,
  name ? "source",
}:

let
  isId = text: builtins.isString text && builtins.match "[0-9a-f]{40}" text != null;
  checked =
    if !isId rev then
      throw "fetchGitVerified: rev is the whole id of a commit, 40 small hexadecimal digits: a branch has no fixed hash"
    else if !isId introduction then
      throw "fetchGitVerified: introduction is the whole id of a commit, 40 small hexadecimal digits"
    else if keyring != null && !isId keyring then
      throw "fetchGitVerified: keyring is the whole id of a commit: a branch would be another one tomorrow"
    else if
      builtins.any (text: text == "") [
        signer
        dialect
        policyPath
      ]
    then
      throw "fetchGitVerified: signer, dialect and policyPath say something, or are left out; one is empty here"
    else
      true;

  # Variables, which no shell takes apart.
  question = builtins.mapAttrs (_: value: if value == null then "" else value) {
    inherit rev introduction signer keyring dialect policyPath;
  };
  arguments = ''
    set -- --rev "$rev" --introduction "$introduction"
    test -z "$signer" || set -- "$@" --signer "$signer"
    test -z "$keyring" || set -- "$@" --keyring "$keyring"
    test -z "$dialect" || set -- "$@" --dialect "$dialect"
    test -z "$policyPath" || set -- "$@" --policy-path "$policyPath"
  '';

  evidence = build {
    name = "${name}-evidence";
    fixed = hash;
    environment = question // {
      inherit url;
      branch = if branch == null then "" else branch;
    };
    command = ''
      ${arguments}
      test -z "$branch" || set -- "$@" --branch "$branch"
      export XDG_CACHE_HOME="$PWD/cache"
      gitverify nix evidence --url "$url" "$@" --output evidence
      mv evidence "$out"
    '';
  };
in
assert checked;
build {
  inherit name;
  environment = question // {
    inherit evidence;
  };
  command = ''
    ${arguments}
    gitverify nix verify-evidence "$evidence" "$@" --output tree
    mv tree "$out"
  '';
}
// {
  inherit evidence rev;
}
