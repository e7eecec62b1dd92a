module slipway.dev/testbed/vulnerable

go 1.25.0

require (
	golang.org/x/text v0.3.5
	slipway.dev/testbed/sample v0.0.0
)

replace slipway.dev/testbed/sample => ../sample
