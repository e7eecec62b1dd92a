module slipway.dev/testbed/traffic

go 1.25.0
