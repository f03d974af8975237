#!/bin/sh
# What the manifests need of the entry point of PostgreSQL's own image: a cluster set up once, by the scripts given for that.
set -eu
socket=/var/run/postgresql

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # Beside its place: a set-up that was interrupted begins anew.
  rm -rf "$PGDATA.new"
  # shellcheck disable=SC2086 # several words
  initdb --pgdata="$PGDATA.new" --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --auth-local=trust \
    --encoding=UTF8 --no-locale ${POSTGRES_INITDB_ARGS:-}
  echo "host all all all scram-sha-256" >> "$PGDATA.new/pg_hba.conf"
  pg_ctl --pgdata="$PGDATA.new" --options="-h '' -k $socket" --wait start
  for script in /docker-entrypoint-initdb.d/*.sql; do
    psql --set=ON_ERROR_STOP=1 --host="$socket" --username=postgres --no-psqlrc --file="$script"
  done
  pg_ctl --pgdata="$PGDATA.new" --mode=fast --wait stop
  mv "$PGDATA.new" "$PGDATA"
fi

exec postgres -h '*' -k "$socket" "$@"
