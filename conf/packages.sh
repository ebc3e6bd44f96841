# Shared by conf/quickstart.sh and tests/run.sh: which Debian packages are needed for what, and how they are installed.
# To be sourced by a POSIX shell; it changes nothing until trivet_install is called.
# shellcheck shell=sh

# One list per purpose. The libraries are Debian 12's; Boost 1.81 stands beside the default 1.74 there.
trivet_packages() {
  case $1 in
    build) echo "g++ cmake ninja-build ccache pkgconf libboost1.81-dev libtomlplusplus-dev libspdlog-dev libcli11-dev libsystemd-dev libcrypt-dev libaprutil1-dev libre2-dev libcmark-gfm-dev libcmark-gfm-extensions-dev zlib1g-dev libbrotli-dev libzstd-dev" ;;
    test) echo "libgtest-dev libgmock-dev python3 curl strace clang-format-19 clang-19 nginx lighttpd apache2 libapache2-mod-fcgid apache2-utils whois openssl brotli zstd haproxy spawn-fcgi systemd python3-seccomp dpkg-dev mandoc php8.2-fpm valgrind caddy h2o yaws default-jre-headless libjetty9-extra-java" ;;
    tidy) echo "clang-tidy-19" ;;
    bench) echo "libbenchmark-dev libfcgi-dev golang-go" ;;
    fuzz) echo "clang-19 libclang-rt-19-dev" ;;
    *) echo "trivet_packages: no such purpose: $1" >&2; return 1 ;;
  esac
}

# Packages whose installation starts a service on a machine with an init system.
trivet_services="nginx lighttpd apache2 haproxy php8.2-fpm caddy h2o yaws"

trivet_is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

trivet_as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

trivet_apt_get() {
  trivet_as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

# Asks apt what it would do. If that removes something: says which line would resolve it, and fails.
trivet_simulate() {
  if said=$(LC_ALL=C apt-get -s install -y --no-install-recommends --no-remove "$@" 2>&1); then return 0; fi
  removed=$(LC_ALL=C apt-get -s install -y --no-install-recommends "$@" 2>/dev/null |
    sed -n 's/^Remv \([^ ]*\) .*/\1/p' | tr '\n' ' ')
  if [ -n "$removed" ]; then
    echo "error: these packages cannot be installed beside others that this machine has: $*" >&2
    echo "This line would install them, and remove: $removed" >&2
    echo "    apt-get install --no-install-recommends $*" >&2
    echo "Nothing was changed." >&2
  else
    printf '%s\n' "$said" | grep '^E:' >&2
    echo "error: apt-get cannot install: $*" >&2
  fi
  return 1
}

# Installs services without starting them: while apt runs, policy-rc.d, which is what Debian's package scripts ask,
# says no. A policy-rc.d that the machine has is left as it is. Runs as root, in a shell of its own.
# shellcheck disable=SC2016
trivet_service_script='
policy=/usr/sbin/policy-rc.d
mark="# Placed by Trivet for the time of one apt-get call; may be removed."
if [ -e "$policy" ] && grep -qxF "$mark" "$policy"; then rm -f "$policy"; fi
if [ ! -e "$policy" ]; then
  trap "rm -f $policy" EXIT
  trap "exit 130" INT TERM HUP
  printf "#!/bin/sh\n%s\nexit 101\n" "$mark" > "$policy" && chmod 755 "$policy" || exit 1
fi
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --no-remove "$@"
'

# trivet_install PURPOSE...: installs what is missing of the lists; says what it does. Where nothing is missing it needs
# neither network nor root.
trivet_install() {
  missing=
  for purpose in "$@"; do
    packages=$(trivet_packages "$purpose") || return 1
    for package in $packages; do
      case " $missing " in *" $package "*) continue ;; esac
      trivet_is_installed "$package" || missing="$missing $package"
    done
  done
  [ -n "$missing" ] || return 0

  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "error: this needs Debian's packages:$missing" >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    echo "error: packages are missing, and there is no sudo. As root:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    return 1
  fi
  echo "installing Debian packages:$missing"
  trivet_apt_get update -qq || echo "warning: apt-get update failed; going on with the package lists there are" >&2
  plain=
  services=
  for package in $missing; do
    case " $trivet_services " in *" $package "*) services="$services $package" ;; *) plain="$plain $package" ;; esac
  done
  # Not quoted from here on: lists of words.
  # shellcheck disable=SC2086
  trivet_simulate $missing || return 1
  if [ -n "$plain" ]; then
    # shellcheck disable=SC2086
    trivet_apt_get install -y -qq --no-install-recommends --no-remove $plain >/dev/null ||
      { echo "error: apt-get failed for:$plain" >&2; return 1; }
  fi
  if [ -n "$services" ]; then
    # shellcheck disable=SC2086
    trivet_as_root sh -c "$trivet_service_script" trivet-install $services >/dev/null ||
      { echo "error: apt-get failed for:$services" >&2; return 1; }
    echo "not started:$services (the tests run their own copies on their own ports)"
    if [ -d /run/systemd/system ]; then
      echo "they would start at the next boot; to keep them from it: systemctl disable$services"
    fi
  fi
}
