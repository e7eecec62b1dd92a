// Command vulnerable is the sample application with an old golang.org/x/text linked in, whose known
// vulnerabilities a scan must find. Nothing that it serves passes through that library.
package main

import (
	"os"

	_ "golang.org/x/text/language"

	"slipway.dev/testbed/sample/server"
)

func main() { os.Exit(server.Program(os.Args[1:])) }
