module slipway.dev/testbed/githttp

go 1.25.0
