#!/bin/bash
# The servers that tests talk to: says which are missing, and as root installs them by apt without letting any of them start.
#
# Exits 0 where nothing is missing, or where tests may be skipped; 1 where something is missing and CI is set.
# `--missing` only prints the apt line for what is missing: tests/conftest.py gives it as the reason of a skipped test.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

missing=()
[ -x /usr/lib/dovecot/imap ] || missing+=(dovecot-imapd)
[ -x /usr/lib/dovecot/lmtp ] || missing+=(dovecot-lmtpd)
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
command -v smtp-sink >/dev/null && command -v smtp-source >/dev/null || missing+=(postfix)
command -v openssl >/dev/null || missing+=(openssl)
# What prints PDF files (mailbot's extra `pdf`) needs, and what reads them.
compgen -G '/usr/lib/*/libpangoft2-1.0.so.0' >/dev/null || missing+=(libpangoft2-1.0-0)
compgen -G '/usr/lib/*/libharfbuzz-subset.so.0' >/dev/null || missing+=(libharfbuzz-subset0)
compgen -G '/usr/share/fonts/truetype/*/*.ttf' >/dev/null || missing+=(fonts-dejavu-core)
[ -x /usr/bin/pdftotext ] || missing+=(poppler-utils)
# What judges our mails as a stranger's filter does, and the second verifier of our signatures.
[ -x /usr/bin/spamassassin ] || missing+=(spamassassin)
[ -f /usr/share/perl5/Mail/DKIM.pm ] || missing+=(libmail-dkim-perl)
# The browser that opens our pages as a reader does.
[ -x /usr/bin/chromium ] || missing+=(chromium)

[ ${#missing[@]} -gt 0 ] || exit 0
apt_line="apt-get install --no-install-recommends ${missing[*]}"
if [ "${1:-}" = --missing ]; then echo "$apt_line"; exit 0; fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing for the tests. As root:  $apt_line" >&2
    [ -z "${CI:-}" ] || exit 1
    echo "Tests that need it are skipped." >&2
    exit 0
fi

# --- as root: install, but start nothing now and nothing at the next boot ---
echo "Installing what tests need: ${missing[*]}"
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\n# Placed for one installation by the tests of mailbot: start nothing.\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

new_services=()
for service in dovecot postgresql postfix; do [ -e "/etc/init.d/$service" ] || new_services+=("$service"); done
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || echo "apt-get update had trouble; going on with the lists that there are." >&2
case " ${missing[*]} " in
    *" postfix "*) echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections ;;
esac
# --no-remove: postfix would put another mail server off this machine, and that is not ours to decide.
options=(-y -qq --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
if ! said=$(apt-get install "${options[@]}" "${missing[@]}" </dev/null 2>&1); then
    printf '%s\napt could not install them. By hand:  %s\n' "$said" "$apt_line" >&2
    exit 1
fi
for service in "${new_services[@]}"; do
    [ ! -e "/etc/init.d/$service" ] || update-rc.d "$service" disable >/dev/null 2>&1
done
