// Command nexmark runs one query of the Nexmark benchmark and writes its rows.
//
//	go run ./examples/nexmark -query q4 -events 1000000 -out /tmp/q4
//	go run ./examples/nexmark -query q11 -events 0 -rate 20000    # without end, 20,000 events a second
//	go run ./examples/nexmark plan -query q20
//
// What a query costs is measured by blink bench nexmark. Start reading at main, then
// job.Nexmark in examples/nexmark/job.
package main
