// Command vulnerable is the sample application with an old golang.org/x/text linked in, whose known
// vulnerabilities a scan must find. Nothing that it serves passes through that library.
package main

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	_ "golang.org/x/text/language"

	"slipway.dev/testbed/sample/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := server.Run(ctx, server.FromEnvironment()); err != nil {
		log.Fatal(err)
	}
}
