// Package process fits Go's runtime to a process that runs tasks: when its collector runs, what
// pages its heap lies in, and how many processors it takes. And it has memory that Go has not cleared.
//
//	process.Fit()                     // first thing in the main function of one that runs tasks
//	defer process.Processors(slots)() // where it shares its machine with others like it
//
// Start reading at Fit.
package process
