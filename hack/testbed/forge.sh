# The forge: Gitea with its repositories, pull requests, webhooks and commit statuses. It takes minutes to
# build, so only `hack/cluster forge` does. From then on it is a part of the cluster like the others.
# shellcheck shell=bash

FORGE=$STATE/forge

# `hack/cluster forge` builds it first, which need not keep another command of the cluster waiting.
build_forge() {
  [[ -z $EXTERNAL ]] || die 'the forge is a part of the test cluster only'
  need_go
  if [[ ! -x $(tool_path gitea) ]]; then
    ensure_compiler
    tool gitea >/dev/null
  fi
}

# Only this tool needs C.
ensure_compiler() {
  if ! command -v gcc >/dev/null || [[ ! -e /usr/include/stdlib.h ]]; then
    say 'installing gcc'
    with_services_held install_packages gcc libc6-dev
  fi
}

# make_forge: starts it, makes its users, and prints its address.
make_forge() {
  ground_stands || die 'there is no cluster: start it with hack/cluster up'
  mkdir -p "$FORGE"
  ensure_part forge
  await_part forge 60
  make_forge_user "$FORGE_OWNER" --admin
  make_forge_user "$FORGE_GUEST"
  echo "$FORGE_URL"
}

start_forge() {
  local program=$FORGE/program
  mkdir -p "$FORGE/custom" "$program"
  forge_config >"$FORGE/app.ini"
  # The cache may lie in a folder that only root enters, and the forge refuses to run as root.
  inside mountpoint -q "$program" || inside mount --bind "$(dirname "$(tool gitea)")" "$program"
  chown "$GIT_UID:$GIT_UID" "$FORGE" "$FORGE/custom" "$FORGE/app.ini"
  start_program forge "${AS_GIT[@]}" "$program/gitea" web --config "$FORGE/app.ini"
}

AS_GIT=(setpriv --reuid "$GIT_UID" --regid "$GIT_UID" --clear-groups
  env "HOME=$FORGE" USER=git "GITEA_WORK_DIR=$FORGE")

# Nothing that a build does not use: no mail, search, packages, actions, time tables or sign-up.
forge_config() {
  cat <<END
APP_NAME = Forge of the test bed
RUN_USER = git
RUN_MODE = prod
WORK_PATH = $FORGE
[server]
HTTP_ADDR = $NODE_IP
HTTP_PORT = ${FORGE_URL##*:}
DOMAIN = forge.slipway.test
ROOT_URL = $FORGE_URL/
STATIC_ROOT_PATH = $FORGE/program/static
OFFLINE_MODE = true
DISABLE_SSH = true
LFS_START_SERVER = false
[database]
DB_TYPE = sqlite3
PATH = $FORGE/forge.db
SQLITE_JOURNAL_MODE = WAL
[repository]
ROOT = $FORGE/repositories
DEFAULT_BRANCH = main
[security]
INSTALL_LOCK = true
SECRET_KEY = testbed
INTERNAL_TOKEN = testbed
PASSWORD_HASH_ALGO = pbkdf2_v1
MIN_PASSWORD_LENGTH = 6
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = *
DELIVER_TIMEOUT = 10
[log]
MODE = console
LEVEL = Warn
[queue]
TYPE = channel
[indexer]
ISSUE_INDEXER_TYPE = db
REPO_INDEXER_ENABLED = false
[session]
PROVIDER = memory
[actions]
ENABLED = false
[packages]
ENABLED = false
[oauth2]
ENABLED = false
[picture]
DISABLE_GRAVATAR = true
[cron]
ENABLED = false
[cron.update_checker]
ENABLED = false
END
}

# make_forge_user NAME OPTION...: with a token for everything that the user may do, kept beside the forge.
make_forge_user() {
  local name=$1 token=$FORGE/token.$1
  shift
  [[ ! -s $token ]] || return 0
  inside "${AS_GIT[@]}" "$FORGE/program/gitea" --config "$FORGE/app.ini" admin user create --username "$name" \
    --email "$name@slipway.test" --password "$FORGE_PASSWORD" --must-change-password=false \
    --access-token --access-token-name testbed --access-token-scopes all "$@" |
    grep -oP 'token was successfully created\.\.\. \K[0-9a-f]{40}' >"$token" || {
    rm -f "$token"
    die "the forge did not make the user $name"
  }
}
