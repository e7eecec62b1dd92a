// Command sample is the application that the demonstrations deliver: a small web server that says which
// version it is. Its pages and its faults come from files of the image, which a commit can change.
package main

import (
	"os"

	"slipway.dev/testbed/sample/server"
)

func main() { os.Exit(server.Program(os.Args[1:])) }
