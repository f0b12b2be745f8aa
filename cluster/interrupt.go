package cluster

import (
	"context"
	"fmt"
	"sync"
)

// interrupts turns signals into the two ways of stopping: the first closes stop, the second
// ends the context and the process, which is as safe as any crash. release ends the watching
// and waits for it.
func (b *binary) interrupts() (ctx context.Context, stop <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	first, done := make(chan struct{}), make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-b.signals:
			fmt.Fprintf(b.stderr, "\n%s: stopping; once more to stop at once\n", b.name())
			close(first)
		case <-done:
			return
		}
		select {
		case <-b.signals:
			cancel()
			b.abort()
		case <-done:
		}
	})
	return ctx, first, func() {
		close(done)
		watching.Wait()
		cancel()
	}
}
