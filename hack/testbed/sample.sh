# The commits of the sample application, for the git server and for the forge. Sourced, never run.
# shellcheck shell=bash

sample_kinds() {
  cat <<'END'
                              good               a new page
                              bad                builds and serves, but /healthz answers 500
                              broken-dockerfile  does not build
                              vulnerable         builds, but a scan finds a HIGH vulnerability
                              slow               a step of 20 seconds, which a cache spares the next build
                              dockerignore       builds only if .dockerignore is heeded
                              base-argument      stands on the image that the build argument BASE names
                              late               every page comes 400 ms later
                              flaky              every fifth page answers 500, /healthz does not
                              liar               /version claims to be the version of kind one
                              leaver             8 s after its start it is not ready any more, 10 s later it exits
                              crasher            exits 8 s after its start, without a word
                              migration-fails    its migration exits with 3
END
}

# sample_commit WORK KIND: one more commit in the clone WORK. It starts from the template, so that no commit
# carries the fault of the one before it; the number in the page makes each one new.
sample_commit() {
  local work=$1 kind=$2 number
  number=$(($(git -C "$work" rev-list --count HEAD 2>/dev/null || echo 0) + 1))
  find "$work" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
  git -C "$work" read-tree --empty
  cp -R "$TESTBED/sample/." "$work"
  (
    cd "$work" || exit
    sed -i "s/number 1/number $number/" site/index.html
    sed -i "s|registry.slipway.test:5000|$REGISTRY|" Dockerfile
    sample_change "$kind"
    sample_save "$(sample_message "$kind" "$number")"
  )
}

# sample_save MESSAGE: what is here, added to what the index holds of other repositories.
sample_save() {
  git add --all
  git -c user.name='Sample Author' -c user.email=author@slipway.test commit --quiet --message "$1"
}

sample_message() {
  case $1 in
    good) if (($2 == 1)); then echo 'The first launch'; else echo 'A new page'; fi ;;
    bad) echo 'A page that breaks the health check' ;;
    broken-dockerfile) echo 'A build that fails' ;;
    vulnerable) echo 'An old library' ;;
    slow) echo 'A step that takes its time' ;;
    dockerignore) echo 'A file that is not for the build' ;;
    base-argument) echo 'A base that is named from outside' ;;
    late | flaky | liar | leaver | crasher | migration-fails) echo "A version that is wrong: $1" ;;
    submodule) echo 'The site in a repository of its own' ;;
  esac
}

sample_change() {
  case $1 in
    good | submodule) ;;
    bad | late | flaky | liar | leaver | crasher | migration-fails) sample_fault "$1" ;;
    broken-dockerfile) echo 'RUN /bin/false' >>Dockerfile ;;
    vulnerable) sed -i 's/sample-base:1/sample-base:vulnerable/' Dockerfile ;;
    # Before the commit's own argument, so that the step is the same for every commit.
    slow) sed -i '/^FROM/a RUN sleep 20 && echo prepared > /prepared.txt' Dockerfile ;;
    dockerignore)
      echo 'not for the build' >notes.secret
      echo '*.secret' >.dockerignore
      sed -i '/^COPY/a COPY . /context/\nRUN test ! -e /context/notes.secret' Dockerfile
      ;;
    base-argument) sed -i "s|^FROM \(.*\)|ARG BASE=\1\nFROM \$BASE|" Dockerfile ;;
    *) die "there is no kind of commit named '$1'" ;;
  esac
}

# sample_fault KIND: what such a version does wrong, said by a file of its site.
sample_fault() {
  case $1 in
    bad) touch site/broken ;;
    late) echo 400ms >site/latency ;;
    flaky) echo 20 >site/errors ;;
    liar) sample_version one >site/version ;;
    leaver) echo 8s 10s >site/crash ;;
    crasher) echo 8s >site/crash ;;
    migration-fails) touch site/migration-fails ;;
  esac
}

# sample_version KIND: what an image that is made without a commit answers as its version.
sample_version() { printf 'sample %s' "$1" | sha1sum | cut -d' ' -f1; }
