#!/bin/sh
# Installs local-coder for the current user on Linux and macOS: sh install.sh --help
#
# Written for every POSIX shell (dash, bash, ash, zsh, ksh). Nothing runs before the last line has arrived, so a
# download that is cut off does nothing.

# npm run docs writes this line from package.json.
RELEASES='https://github.example/local-coder/local-coder/releases'

# Words that a human reads go to standard output, what went wrong to standard error.
say() { printf '%s\n' "$*"; }
fail() {
  printf 'local-coder: %s\n' "$*" >&2
  exit 1
}
wrong_usage() {
  printf 'local-coder: %s See --help.\n' "$*" >&2
  exit 2
}
have() { command -v "$1" >/dev/null 2>&1; }

help() {
  cat <<'HELP'
Installs local-coder, one executable file, for the current user. Needs no root.

  sh install.sh [--version X] [--dir D]    install, or upgrade what is there
  sh install.sh --uninstall [--dir D]      remove the executable; its state folder stays

  --version X   this version instead of the newest
  --dir D       folder of the executable (default: ~/.local/bin)

From the web: curl -fsSL URL/install.sh | sh -s -- --dir D

LOCAL_CODER_BASE_URL names a mirror: https://HOST/PATH below which latest/download/FILE and download/vX/FILE lie.
Proxies are those of curl or wget (https_proxy and its siblings).
HELP
}

main() {
  version='' dir='' action=install
  # For cleanup, which may be called at any time.
  temporary='' made_from='' child='' finished=''
  read_arguments "$@"
  umask 022
  # No download and nothing that is unpacked is larger than 600 MB (in blocks of 512 bytes).
  ulimit -f 1200000 2>/dev/null || :
  trap cleanup EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  if [ "$action" = help ]; then
    help
    return 0
  fi
  find_folder
  if [ "$action" = uninstall ]; then
    uninstall
    return 0
  fi
  find_base_url
  find_target
  find_tools
  [ -z "${SUDO_USER-}" ] || [ "$(id -u)" != 0 ] ||
    say "Installing as root into $dir. Without sudo it would be installed for $SUDO_USER, which needs no root."
  install
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --version=* | --dir=*)
        option=${1%%=*}
        value=${1#*=}
        shift
        set -- "$option" "$value" "$@"
        ;;
    esac
    case $1 in
      --version | --dir)
        [ -n "${2-}" ] || wrong_usage "$1 needs a value."
        if [ "$1" = --dir ]; then dir=$2; else version=${2#v}; fi
        shift 2
        ;;
      --uninstall)
        action=uninstall
        shift
        ;;
      -h | --help)
        action=help
        shift
        ;;
      *) wrong_usage "\"$1\" is not an option." ;;
    esac
  done
  [ -z "$version" ] || is_version "$version" || wrong_usage "--version \"$version\" is no version such as 1.2.3."
}

is_version() {
  case $1 in
    *[!0-9A-Za-z.-]* | *..* | .* | *.) return 1 ;;
    [0-9]*.[0-9]*.[0-9]*) return 0 ;;
    *) return 1 ;;
  esac
}

find_folder() {
  if [ -z "$dir" ]; then
    [ -n "${HOME-}" ] || fail 'HOME is not set: say with --dir where to install.'
    dir=$HOME/.local/bin
  fi
  case $dir in
    /*) ;;
    [~]/*) # --dir=~/x reaches this as it stands in most shells
      [ -n "${HOME-}" ] || fail "HOME is not set: say with --dir where to install, without ~."
      dir=$HOME/${dir#??}
      ;;
    *)
      # Of a folder that is gone dash says nothing, zsh a dot, and both call that success.
      here=$(pwd) || here=''
      case $here in
        /*) ;;
        *) fail "The folder that this runs in is gone: say with --dir where to install, from the root on." ;;
      esac
      dir=${here%/}/$dir
      ;;
  esac
  while :; do
    case $dir in
      ?*/) dir=${dir%/} ;;
      *) break ;;
    esac
  done
  program=$dir/local-coder
}

find_base_url() {
  base=${LOCAL_CODER_BASE_URL:-$RELEASES}
  while :; do
    case $base in
      */) base=${base%/} ;;
      *) break ;;
    esac
  done
  secure=yes
  case $base in
    *@* | *\?* | *\#* | *[[:space:]]*)
      fail 'LOCAL_CODER_BASE_URL is not the address of a mirror: https://HOST/PATH, without a password, ? or #.'
      ;;
    https://?*) ;;
    http://?*)
      host=${base#http://}
      host=${host%%/*}
      case $host in
        '[::1]' | '[::1]':*) name='[::1]' ;;
        *) name=${host%%:*} ;;
      esac
      port=${host#"$name"}
      port=${port#:}
      case $name:$port in
        *:*[!0-9]*) name='' ;;
      esac
      case $name in
        localhost | 127.0.0.1 | '[::1]') secure=no ;;
        *) fail 'LOCAL_CODER_BASE_URL must be https:// (http:// is for this machine alone).' ;;
      esac
      ;;
    *) fail 'LOCAL_CODER_BASE_URL must begin with https://.' ;;
  esac
  host=${base#*://}
  host=${host%%/*}
  case $host in
    *.example)
      fail 'No release of local-coder is published yet. Set LOCAL_CODER_BASE_URL to a mirror that has one, or build' \
        'it from the sources (npm ci, npm run build).'
      ;;
  esac
}

# Sets target, or says why there is no build for this machine.
find_target() {
  system=$(uname -s 2>/dev/null) || system=unknown
  machine=$(uname -m 2>/dev/null) || machine=unknown
  case $system in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    MINGW* | MSYS* | CYGWIN* | Windows*)
      fail 'This script is for Linux and macOS. On Windows run install.ps1 in PowerShell.'
      ;;
    *) fail "There is no build of local-coder for $system. It can be run from its sources with Node 24." ;;
  esac
  case $machine in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "There is no build of local-coder for $machine, only for x86_64 and arm64." ;;
  esac
  if [ $system = darwin ]; then
    # A shell that Rosetta translates says x86_64 on Apple silicon, where the arm64 build is the right one.
    if [ "$(sysctl -n hw.optional.arm64 2>/dev/null)" = 1 ] ||
      [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then
      machine=arm64
    fi
  else
    [ "$(getconf LONG_BIT 2>/dev/null)" != 32 ] ||
      fail 'This is a 32-bit system on a 64-bit kernel; local-coder needs a 64-bit system.'
    check_libc
  fi
  target=$system-$machine
}

# The executable is made for glibc 2.28 and later (Debian 10, Ubuntu 18.10, RHEL 8).
check_libc() {
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || libc=''
  case $libc in
    'glibc '*) libc=${libc#glibc } ;;
    *)
      libc=''
      words=$(ldd --version 2>&1) || :
      case $words in
        *musl*) refuse_musl ;;
        *GLIBC* | *'GNU libc'* | *'GNU C Library'*)
          libc=${words%%
*}
          libc=${libc##* }
          ;;
        *)
          # Neither program is there: the loader's file tells.
          for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do
            [ ! -e "$loader" ] || return 0
          done
          for loader in /lib/ld-musl-x86_64.so.1 /lib/ld-musl-aarch64.so.1; do
            [ ! -e "$loader" ] || refuse_musl
          done
          ;;
      esac
      ;;
  esac
  major=${libc%%.*}
  minor=${libc#*.}
  minor=${minor%%[!0-9]*}
  case $major:$minor in
    *[!0-9:]* | :* | *:) return 0 ;; # not understood: whether the program starts will tell
  esac
  if [ "$major" -lt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -lt 28 ]; }; then
    fail "This system has glibc $libc; local-coder needs 2.28 or newer (Debian 10, Ubuntu 20.04, RHEL 8 or later)."
  fi
}

refuse_musl() {
  fail 'This system uses musl (Alpine, Void); the executable needs glibc. Run local-coder from its sources with' \
    'Node 24 (apk add nodejs npm git), or in a container that has glibc, such as debian:stable-slim.'
}

# Finds what downloads, checks and unpacks before anything is downloaded.
find_tools() {
  if have curl; then
    downloader=curl
  elif have wget; then
    downloader=wget
    case $(wget --version 2>/dev/null) in
      *'GNU Wget'*) ;;
      *)
        downloader=simple-wget
        # BusyBox: https without a look at the certificate is no https.
        [ $secure = no ] ||
          fail 'The wget of this system does not check the certificates of https servers. Install curl, or GNU wget.'
        ;;
    esac
  else
    fail 'Neither curl nor wget is here: install one of them.'
  fi
  if have sha256sum; then
    hasher=sha256sum
  elif have shasum; then
    hasher=shasum
  elif have openssl; then
    hasher=openssl
  else
    fail 'Nothing here computes SHA-256 (sha256sum, shasum or openssl), so that a download could not be checked.'
  fi
  have tar || fail 'tar is needed to unpack the download, and it is not here.'
  have mktemp || fail 'mktemp is needed, and it is not here.'
  packing=gz
  case $(tar --version 2>/dev/null) in
    *bsdtar*) packing=xz ;;
    *'GNU tar'*) if have xz; then packing=xz; fi ;;
  esac
}

install() {
  [ ! -d "$program" ] || fail "$program is a folder. Move it away, or choose another folder with --dir."
  make_folder
  if [ -n "$version" ]; then from=$base/download/v$version; else from=$base/latest/download; fi
  fetch "$from/SHA256SUMS" "$temporary/SHA256SUMS" no ||
    if [ "$missing" = yes ] && [ -n "$version" ]; then
      fail "There is no version $version at $base."
    else
      fail "The list of releases could not be downloaded from $from: $reason"
    fi
  read_sums
  find_installed
  if [ -n "$installed" ] && [ -z "$asked" ] && comes_before "$version" "$installed"; then
    say "local-coder $installed is installed already; the newest release at $base is $version: $program"
    say "To go back to that one: --version $version"
    advise_path
    return 0
  fi
  if [ "$installed" = "$version" ]; then
    say "local-coder $version is installed already: $program"
    advise_path
    return 0
  fi
  say "Downloading local-coder $version for $target"
  fetch "$from/$archive" "$temporary/$archive" yes ||
    fail "$archive could not be downloaded from $from: $reason"
  actual=$(sha256 "$temporary/$archive") || actual=''
  [ "$actual" = "$expected" ] ||
    fail "$archive is not what the release lists: its SHA-256 is ${actual:-unknown}, not $expected." \
      'Nothing was installed. Try again; a proxy may change downloads.'
  unpack
  prove
  mv -f "$temporary/local-coder" "$program" || fail "$program could not be written."
  finished=yes
  if [ -n "$installed" ]; then
    say "local-coder $version is in the place of $installed: $program"
    say 'What runs goes on with the old version until it is started again.'
  else
    say "local-coder $version is installed: $program"
  fi
  advise_path
}

# Sets installed to the version that is there; empty where there is none, or one that does not start any more. What
# somebody else put there under this name is not overwritten.
find_installed() {
  installed=''
  [ -e "$program" ] || [ -h "$program" ] || return 0
  if [ -f "$program" ] && [ ! -h "$program" ]; then
    [ -s "$program" ] || return 0
    if installed=$(answer_of "$program" 2>/dev/null); then
      # One that says its version and does no more than that is put there anew.
      ! is_version "$installed" || { starts "$program" 2>/dev/null || installed=''; return 0; }
    else
      installed=''
      case $(head -c 4 "$program" 2>/dev/null) in
        "$(printf '\177ELF')" | "$(printf '\317\372\355\376')") return 0 ;;
      esac
    fi
  fi
  fail "$program is not what this script installs, so it stays. Move it away, or choose another folder with --dir."
}

# True when the version $1 comes before $2; of two pre-releases of one version neither does.
comes_before() {
  left=${1%%-*}. right=${2%%-*}.
  while [ -n "$left" ] && [ -n "$right" ]; do
    # What is no number, or too large for one, is not compared.
    [ "${left%%.*}" -lt "${right%%.*}" ] 2>/dev/null && return 0
    [ "${left%%.*}" -gt "${right%%.*}" ] 2>/dev/null && return 1
    left=${left#*.} right=${right#*.}
  done
  case $1/$2 in
    */*-*) return 1 ;;
    *-*/*) return 0 ;;
    *) return 1 ;;
  esac
}

# Makes the target folder where it is missing, and a private folder in it: a rename out of that one is atomic.
make_folder() {
  there=$dir
  while [ ! -d "$there" ]; do
    made_from=$there
    there=${there%/*}
    [ -n "$there" ] || there=/
  done
  mkdir -p "$dir" 2>/dev/null || fail "The folder $dir cannot be made. Choose another one with --dir."
  # Of a run that was killed (kill -9, power) more than a day ago. A run itself takes less than two hours.
  find "$dir/." ! -name . -prune -type d -name '.local-coder-install.??????' -mtime +0 -exec rm -rf {} + 2>/dev/null
  temporary=$(umask 077 && mktemp -d "$dir/.local-coder-install.XXXXXX" 2>/dev/null) ||
    fail "$dir cannot be written to. Choose another folder with --dir."
}

# Reads version (where none was asked for), archive and expected out of SHA256SUMS.
read_sums() {
  asked=$version
  version='' archive='' expected=''
  [ "$(wc -c <"$temporary/SHA256SUMS")" -le 1000000 ] || fail "The list of releases at $from is broken: it is too long."
  return_character=$(printf '\r')
  while read -r sum name || [ -n "$sum" ]; do
    name=${name#\*}
    case $name in
      *"$return_character") fail "The list of releases at $from is broken: it has the line ends of Windows." ;;
      local-coder-*-"$target.tar.$packing") ;;
      *) continue ;;
    esac
    [ -z "$archive" ] || fail "The list of releases at $from names two builds for $target."
    archive=$name
    expected=$sum
    version=${name#local-coder-}
    version=${version%-"$target.tar.$packing"}
  done <"$temporary/SHA256SUMS"
  if [ -z "$archive" ]; then
    [ -z "$asked" ] || fail "Version $asked has no build for $target."
    fail "The newest release has no build for $target."
  fi
  case $expected in
    *[!0-9a-f]*) expected='' ;;
  esac
  { is_version "$version" && [ ${#expected} -eq 64 ]; } || fail "The list of releases at $from is broken."
  [ -z "$asked" ] || [ "$asked" = "$version" ] || fail "What $from holds is version $version, not $asked."
}

# fetch URL FILE yes|no (show how far it is): three tries, each bounded. Sets reason, and missing where it is not there.
fetch() {
  missing=no tries=0
  while :; do
    tries=$((tries + 1))
    { true >"$temporary/words" && true >"$temporary/answer"; } 2>/dev/null ||
      fail "$dir cannot be written to; is there space left?"
    outcome=0
    fetch_once "$1" "$2" "$3" || outcome=$?
    if [ $outcome -eq 0 ]; then
      leaves_https || return 0
      rm -f "$2"
      reason='it is redirected to an address without https.'
      return 1
    fi
    rm -f "$2"
    case $(cat "$temporary/answer" "$temporary/words") in
      404 | *'ERROR 404'* | *'error: 404'* | *'HTTP/1.'[01]' 404'*)
        missing=yes
        reason='it is not there (404).'
        return 1
        ;;
    esac
    case $downloader:$outcome in
      curl:23 | wget:3)
        reason="it could not be written; is there space left in $dir?"
        return 1
        ;;
    esac
    reason=$(tail -n 1 "$temporary/words")
    reason="${reason:-the connection broke} (tried $tries times)"
    [ $tries -lt 3 ] || return 1
    run sleep 1
  done
}

# GNU wget follows a redirect from https to http; what it printed of the answers tells. curl refuses by itself.
leaves_https() {
  [ $downloader = wget ] && [ $secure = yes ] || return 1
  sed -n 's/^ *[Ll][Oo][Cc][Aa][Tt][Ii][Oo][Nn]: *//p' "$temporary/words" >"$temporary/answer"
  while read -r location _; do
    case $location in
      [Hh][Tt][Tt][Pp]:*) return 0 ;;
    esac
  done <"$temporary/answer"
  return 1
}

fetch_once() {
  case $downloader in
    curl)
      if [ $secure = yes ]; then protocols='=https'; else protocols='=http,https'; fi
      set -- "$3" -fL --proto "$protocols" --proto-redir "$protocols" --connect-timeout 20 --max-time 1800 \
        --speed-limit 1 --speed-time 60 -w '%{http_code}' -o "$2" "$1"
      # With a terminal, curl draws a bar there.
      if [ "$1" = yes ] && [ -t 2 ]; then
        shift
        run curl --progress-bar "$@" >"$temporary/answer"
      else
        shift
        run curl -sS "$@" >"$temporary/answer" 2>"$temporary/words"
      fi
      ;;
    *)
      limit=''
      if have timeout; then limit='timeout 1800'; fi
      set -- -O "$2" "$1"
      # The wget of BusyBox 1.35 crashes when it is given a time limit.
      if [ $downloader = wget ]; then set -- -nv -S -t 1 -T 60 "$@"; else set -- -q "$@"; fi
      # shellcheck disable=SC2086 # two words or none
      run $limit wget "$@" 2>"$temporary/words"
      ;;
  esac
}

# Runs a program so that a signal ends it and this script at once: a shell waits for what runs in the foreground.
run() {
  "$@" </dev/null &
  child=$!
  code=0
  wait "$child" || code=$?
  child=''
  return $code
}

sha256() {
  case $hasher in
    sha256sum) line=$(sha256sum "$1") || return 1 ;;
    shasum) line=$(shasum -a 256 "$1") || return 1 ;;
    openssl)
      line=$(openssl dgst -sha256 -r "$1") || return 1
      ;;
  esac
  # A name with a backslash has one before the digest as well.
  line=${line#\\}
  printf '%s' "${line%% *}"
}

unpack() {
  case $packing in
    xz) how=-xJOf ;;
    *) how=-xzOf ;;
  esac
  # Its bytes alone, whatever kind of file the archive calls it: a link would lead chmod elsewhere.
  run tar "$how" "$temporary/$archive" local-coder >"$temporary/local-coder" 2>"$temporary/words" ||
    fail "$archive could not be unpacked in $dir (is there space left?): $(tail -n 1 "$temporary/words" 2>/dev/null)"
  rm -f "$temporary/$archive"
  [ -s "$temporary/local-coder" ] || fail "$archive holds no program."
  chmod 755 "$temporary/local-coder" || fail "$temporary/local-coder cannot be made executable."
}

# What is about to be installed must start here: what is there stays until then.
prove() {
  words=$(answer_of "$temporary/local-coder" 2>"$temporary/words") || words=''
  [ "$words" = "$version" ] && starts "$temporary/local-coder" 2>"$temporary/words" && return 0
  sed 1,5!d "$temporary/words" >&2
  fail "The downloaded local-coder $version does not start here, so nothing was changed." \
    'Where the folder forbids programs (noexec), choose another one with --dir; where a library is named above,' \
    'install it (libstdc++6 on Debian and Ubuntu).'
}

# The version that a file says it is; fails when it cannot be started.
answer_of() {
  [ -f "$1" ] && [ -x "$1" ] || return 1
  ask "$1" --version
}

# Whether all of the program is there and runs: its version is answered before Node begins.
starts() { ask "$1" --help >/dev/null; }

ask() {
  limit=''
  if have timeout; then limit='timeout 30'; fi
  # shellcheck disable=SC2086 # two words or none
  (cd / && LOCAL_CODER_UPGRADE=proving $limit "$1" "$2" </dev/null)
}

advise_path() {
  case :${PATH-}: in
    *":$dir:"*)
      first=$(command -v local-coder 2>/dev/null) || first=''
      [ -z "$first" ] || [ "$first" = "$program" ] ||
        say "Another local-coder comes first on your PATH: $first"
      return 0
      ;;
  esac
  case $dir in
    *:*)
      say "The name of $dir has a colon and cannot be on PATH. Start the program as $program"
      return 0
      ;;
    "${HOME:-/nowhere}"/*) shown="\$HOME${dir#"${HOME-}"}" ;;
    *) shown=$dir ;;
  esac
  case $dir in
    *[!A-Za-z0-9/._+@%,=-]*)
      say "Put the folder $dir on your PATH, or start the program as $program"
      return 0
      ;;
  esac
  shell=${SHELL-}
  case ${shell##*/} in
    fish) how="fish_add_path \"$shown\"" ;;
    zsh) how="echo 'export PATH=\"$shown:\$PATH\"' >>~/.zshrc" ;;
    bash)
      case $(uname -s) in
        Darwin) how="echo 'export PATH=\"$shown:\$PATH\"' >>~/.bash_profile" ;;
        *) how="echo 'export PATH=\"$shown:\$PATH\"' >>~/.bashrc" ;;
      esac
      ;;
    *) how="echo 'export PATH=\"$shown:\$PATH\"' >>~/.profile" ;;
  esac
  say "$dir is not on your PATH. This puts it there, for terminals that you open afterwards:"
  say "    $how"
}

uninstall() {
  if [ ! -e "$program" ] && [ ! -h "$program" ]; then
    say "There is no local-coder in $dir (another folder: --dir)."
    return 0
  fi
  words=$(answer_of "$program" 2>/dev/null) || words=''
  { [ ! -h "$program" ] && is_version "$words"; } ||
    fail "$program does not look like what this script installs, so it stays. If you do not want it: rm $(quoted "$program")"
  rm -f "$program" || fail "$program cannot be removed."
  say "Removed $program (version $words)."
  case $(uname -s) in
    Darwin) state="${HOME-}/Library/Application Support/local-coder" ;;
    *) state=${XDG_STATE_HOME:-${HOME-}/.local/state}/local-coder ;;
  esac
  if [ -d "$state" ]; then
    say "Its state (history of changes, audit log, credentials) stays. To remove that too: rm -r $(quoted "$state")"
  fi
  say 'Entries that you made in MCP clients, and services, stay as they are.'
}

# A word as a shell takes it.
quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# Leaves nothing behind, whatever happened.
# shellcheck disable=SC2317 # called by the traps
cleanup() {
  trap '' HUP INT TERM PIPE
  if [ -n "$child" ]; then
    kill "$child" 2>/dev/null
    wait "$child" 2>/dev/null
    child=''
  fi
  [ -z "$temporary" ] || rm -rf "$temporary"
  [ -n "$made_from" ] && [ -z "$finished" ] || return 0
  made=$dir
  while :; do
    rmdir "$made" 2>/dev/null
    [ "$made" != "$made_from" ] || break
    made=${made%/*}
  done
}

# The braces matter: of a line that is cut off in its middle nothing runs.
{
  if [ -n "${ZSH_VERSION-}" ]; then emulate sh; fi
  # SHELLOPTS of bash, or sh -e, may have set these; failures are looked at one by one here.
  set +eC
  set -u
  # Patterns mean ASCII, and programs say what went wrong in the words that are looked for.
  LC_ALL=C
  export LC_ALL
  main "$@" </dev/null
  exit
}
