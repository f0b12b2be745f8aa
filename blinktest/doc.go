// Package blinktest runs a job in a test: on scripted sources and collecting sinks, in the
// simulator, without and with faults.
//
//	func TestVisits(t *testing.T) {
//		src := new(blinktest.Script[Hit]).At(0, a, b).Watermark(10*time.Second).Checkpoint().Crash("visits", 0).At(time.Minute, c)
//		out := new(blinktest.Sink[Visit])
//		blinktest.Run(t, func(job *blink.Job) {
//			visits(job.Read(src.Source())).Write(out.To())
//		}, src, out, blinktest.Seeds(100), blinktest.Parallelism(3))
//		// out.Records() is what the job has written
//	}
//
// Write the job as a function of its streams, so that a test can put its own source before
// and its own sink behind it. Run simulates it once on a calm cluster; that run's output is
// what Records returns. Then it simulates it once for each seed, on a cluster and with faults
// that the seed draws (executors and JobMasters that crash, networks that part, stores that
// fail), and compares: every record must be there, once.
//
// A seed is one run. When one fails, Run says which; Seed runs that one alone and tells what
// happened. Start reading at Run.
package blinktest
