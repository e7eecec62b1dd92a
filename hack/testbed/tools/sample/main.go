// Command sample is the application that the demonstrations deliver: a small web server that says which
// version it is. Its pages and its faults come from files of the image, which a commit can change.
package main

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	"slipway.dev/testbed/sample/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := server.Run(ctx, server.FromEnvironment()); err != nil {
		log.Fatal(err)
	}
}
