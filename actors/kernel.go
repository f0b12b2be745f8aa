package actors

import (
	"io"
	"log/slog"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	cmap "github.com/orcaman/concurrent-map"
)

// The library's registry has 1024 buckets of 32 maps each: 3 MB for every node. It is asked
// only when actors come and go, so one map for each of a few buckets is enough. The count of
// shards must be the same for as long as any map lives.
var oneShard = sync.OnceFunc(func() { cmap.SHARD_COUNT = 1 })

const buckets = 16

// newKernel makes the library's part of a System: quiet, without metrics, known by its node.
func newKernel(node string) *actor.ActorSystem {
	oneShard()
	quiet := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))
	k := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	k.ID = node
	k.ProcessRegistry.Address = node
	k.ProcessRegistry.LocalPIDs.LocalPIDs = make([]cmap.ConcurrentMap, buckets)
	for i := range buckets {
		k.ProcessRegistry.LocalPIDs.LocalPIDs[i] = cmap.New()
	}
	return k
}

// unused stands where the library wants a dispatcher: the mailbox schedules itself.
type unused struct{}

func (unused) Schedule(func()) { panic("actors: the library scheduled something itself") }
func (unused) Throughput() int { return 1 }
