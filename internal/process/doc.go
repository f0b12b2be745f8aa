// Package process fits Go's runtime to a process that runs tasks: when its collector runs, what
// pages its heap lies in, and how many processors it takes. And it has memory that Go has not cleared.
//
//	process.Fit()                     // any process that runs tasks
//	defer process.Processors(slots)() // one that leaves the rest of its machine to others
//
// Start reading at Fit.
package process
