package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Faults are what a version does wrong, each said by a file below /site:
//
//	broken           /healthz answers 500
//	latency          a duration: every answer but those of the checks comes so much later
//	errors           a number: so many of 100 pages answer 500
//	version          what /version claims, whatever the header X-Version says
//	crash            a duration after the start at which the program exits; with a second one it says so first:
//	                 so long /readyz answers 503 before it exits
//	migration-fails  the migration exits with 3
type Faults struct {
	Broken         bool
	Latency        time.Duration
	ErrorPercent   int
	Claims         string
	CrashAfter     time.Duration
	CrashNotice    time.Duration
	MigrationFails bool
}

// ReadFaults fails on a file that does not say what it should.
func ReadFaults(site string) (Faults, error) {
	faults := Faults{Broken: exists(filepath.Join(site, "broken")),
		MigrationFails: exists(filepath.Join(site, "migration-fails"))}
	for name, read := range map[string]func(words []string) error{
		"latency": func(words []string) (err error) {
			faults.Latency, err = time.ParseDuration(words[0])
			return err
		},
		"errors": func(words []string) (err error) {
			faults.ErrorPercent, err = strconv.Atoi(words[0])
			return err
		},
		"version": func(words []string) error {
			faults.Claims = words[0]
			return nil
		},
		"crash": func(words []string) (err error) {
			if faults.CrashAfter, err = time.ParseDuration(words[0]); err == nil && len(words) > 1 {
				faults.CrashNotice, err = time.ParseDuration(words[1])
			}
			return err
		},
	} {
		content, err := os.ReadFile(filepath.Join(site, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		words := strings.Fields(string(content))
		if err == nil && len(words) == 0 {
			err = errors.New("it is empty")
		}
		if err == nil {
			err = read(words)
		}
		if err != nil {
			return faults, fmt.Errorf("%s/%s: %w", site, name, err)
		}
	}
	return faults, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
