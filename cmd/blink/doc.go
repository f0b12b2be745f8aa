// Command blink carries the tools that need no job of the user.
//
//	blink bench      what the engine costs, beside plain loops
//	blink sim        random jobs on simulated clusters, with faults, under seeds
//	blink version    which build this is
//
// A job is a program of its own: its binary has the subcommands that run, plan
// and simulate it (package cluster). Exit status: 0, 1 when the tool found
// something wrong, 2 when the command line is.
//
// main only hands the process's arguments and streams to run, so that a test
// can be the process. Start reading at run.
package main
