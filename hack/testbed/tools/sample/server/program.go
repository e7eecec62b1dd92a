package server

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Exit statuses of the program.
const (
	failed          = 1
	misused         = 2
	migrationFailed = 3
)

// Program is the command line, and returns its exit status:
//
//	sample                   serves
//	sample migrate [WAIT]    what an application would do to its database before this version serves: it takes
//	                         WAIT, says what it did, and fails where the image has /site/migration-fails
func Program(args []string) int {
	settings, err := FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		return misused
	}
	if len(args) > 0 {
		return migrate(settings, args)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := Run(ctx, settings); err != nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		return failed
	}
	return 0
}

func migrate(settings Settings, args []string) int {
	wait := time.Duration(0)
	var err error
	if len(args) == 2 {
		wait, err = time.ParseDuration(args[1])
	}
	if args[0] != "migrate" || len(args) > 2 || err != nil {
		fmt.Fprintln(os.Stderr, "usage: sample [migrate [WAIT]]")
		return misused
	}
	time.Sleep(wait)
	if settings.Faults.MigrationFails {
		fmt.Fprintln(os.Stderr, "sample: the migration fails, as the image says")
		return migrationFailed
	}
	fmt.Println("migrated to version", settings.Version)
	return 0
}
