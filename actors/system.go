package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
)

// Config is what a System is made of. Only Node is needed.
type Config struct {
	Node      string         // its name in every Ref; one System for each node
	Log       zerolog.Logger // where actors log to
	Runtime   Runtime        // nil: the real clock, goroutines, and dispatchers
	Transport Transport      // nil: there is no other node
}

// System is the actors of one node.
type System struct {
	config Config
	run    Runtime
	real   *realTime // nil when the runtime was given
	kernel *actor.ActorSystem

	mu      sync.RWMutex
	cells   map[string]*cell
	spawned uint64 // actors ever made: their order
	closing bool
}

// New returns a System without actors. It panics when Config names no node, or one with a
// '/' or '?' in it.
func New(config Config) *System {
	if err := checkName(config.Node); err != nil {
		panic(fmt.Errorf("actors: node: %w", err))
	}
	s := &System{config: config, run: config.Runtime, cells: map[string]*cell{}, kernel: newKernel(config.Node)}
	if s.run == nil {
		s.real = newRealTime()
		s.run = s.real
	}
	return s
}

// Node returns the name of the node.
func (s *System) Node() string { return s.config.Node }

// NewLoop returns a loop for actors of this system: see OnLoop.
func (s *System) NewLoop(name string) *Loop { return &Loop{name: name, run: s.run} }

// Option changes how an actor is spawned.
type Option func(*cell)

// OnLoop runs the actor's turns on l. Without it the actor is scheduled on its own.
func OnLoop(l *Loop) Option { return func(c *cell) { c.mb.loop = l } }

// Limit bounds the messages that wait for the actor; the default is 100,000. When there are
// n the actor fails.
func Limit(n int) Option { return func(c *cell) { c.mb.limit = n } }

const defaultLimit = 100_000

// Spawn starts a root actor, of the given kind (a word for Inspect) and name. make is called
// on the actor's own first turn. It is an error if the name is taken, or not a name.
func (s *System) Spawn(kind, name string, make func() Actor, o ...Option) (Ref, error) {
	c, err := s.register(nil, kind, name, make, o)
	if err != nil {
		return Ref{}, err
	}
	return c.ref, s.start(c, s.kernel.Root, name)
}

// register makes the record of a new actor and takes its name.
func (s *System) register(parent *cell, kind, name string, make func() Actor, o []Option) (*cell, error) {
	id := name
	if parent != nil {
		id = parent.ref.ID + "/" + name
	}
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("spawn %s on %s: %w", id, s.config.Node, err)
	}
	c := newCell(s, parent, kind, id, make)
	if parent == nil {
		c.gone = newGate()
	}
	for _, option := range o {
		option(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing && parent == nil {
		return nil, fmt.Errorf("spawn %v: the node is shutting down", c.ref)
	}
	if s.cells[id] != nil {
		return nil, fmt.Errorf("spawn %v: there is one already", c.ref)
	}
	s.spawned++
	c.order = s.spawned
	s.cells[id] = c
	return c, nil
}

// start hands a registered actor to the library.
func (s *System) start(c *cell, by actor.SpawnerContext, name string) error {
	props := actor.PropsFromProducer(func() actor.Actor { return c }, actor.WithDispatcher(unused{}),
		actor.WithMailbox(func() actor.Mailbox { return &c.mb }))
	if _, err := by.SpawnNamed(props, name); err != nil {
		s.unregister(c)
		return fmt.Errorf("spawn %v: %w", c.ref, err)
	}
	return nil
}

func (s *System) unregister(c *cell) {
	s.mu.Lock()
	delete(s.cells, c.ref.ID)
	s.mu.Unlock()
}

func (s *System) find(id string) *cell {
	s.mu.RLock()
	c := s.cells[id]
	s.mu.RUnlock()
	return c
}

// checkName refuses what would make a Ref ambiguous: '/' separates a parent from its child,
// askMark a question from who asks.
func checkName(name string) error {
	if name == "" || strings.ContainsAny(name, "/"+askMark) {
		return fmt.Errorf("%q is no name: it must not be empty nor contain '/' or '%s'", name, askMark)
	}
	return nil
}

// Tell sends m to an actor of any node, from nobody.
func (s *System) Tell(to Ref, m any) { s.tell(Ref{}, to, m) }

// Deliver hands over a message that came from another node; transports call it.
func (s *System) Deliver(from, to Ref, m any) { s.deliver(from, to, m) }

func (s *System) tell(from, to Ref, m any) {
	switch {
	case to.Node == s.config.Node:
		s.deliver(from, to, m)
	case to.IsZero():
	case s.config.Transport == nil:
		s.lost(from, to, m)
	default:
		s.config.Transport.Send(from, to, m)
	}
}

func (s *System) deliver(from, to Ref, m any) {
	if c := s.find(to.ID); c != nil {
		if c.mb.push(envelope{from: from, m: m}, true) {
			return
		}
	} else if id, n, ok := parseAsk(to.ID); ok {
		if c := s.find(id); c != nil && c.mb.push(envelope{from: from, m: m, ask: n}, true) {
			return
		}
	}
	s.lost(from, to, m)
}

// lost ends the way of a message that has no receiver. Whoever asked learns it at once.
func (s *System) lost(from, to Ref, m any) {
	s.run.Lost(to, m)
	s.config.Log.Debug().Stringer("to", to).Str("message", Kind(m)).Msg("no such actor")
	if _, isAnswer := m.(unanswered); isAnswer {
		return
	}
	if _, _, ok := parseAsk(from.ID); ok && from.Node == s.config.Node {
		s.deliver(Ref{}, from, unanswered{fmt.Errorf("%w: %v", ErrNotFound, to)})
	}
}

// Stop stops an actor of this node behind the messages that it has been told before, and
// its children with it. Nothing happens if there is none.
func (s *System) Stop(r Ref) {
	if c := s.find(r.ID); c != nil && r.Node == s.config.Node {
		c.mb.push(envelope{m: stop{}}, false)
	}
}

// Shutdown stops every root actor, the last spawned first, each when the one before is
// down; meanwhile nothing can be spawned as a root. It returns an error that names what is
// still alive when ctx ends. It must not be called by an actor, nor in a simulated world.
func (s *System) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	for _, c := range s.roots() {
		s.Stop(c.ref)
		select {
		case <-c.gone.done:
		case <-ctx.Done():
			return s.stillAlive(ctx)
		}
	}
	if s.real != nil {
		s.real.close()
	}
	return nil
}

// roots returns the root actors, the last spawned first.
func (s *System) roots() []*cell {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var roots []*cell
	for _, c := range s.cells {
		if c.parent == nil {
			roots = append(roots, c)
		}
	}
	slices.SortFunc(roots, func(a, b *cell) int { return int(b.order) - int(a.order) })
	return roots
}

func (s *System) stillAlive(ctx context.Context) error {
	errs := []error{fmt.Errorf("shut down %s: %w", s.config.Node, context.Cause(ctx))}
	for _, i := range s.List() {
		errs = append(errs, fmt.Errorf("%v is still alive: %v", i.Ref, i))
	}
	return errors.Join(errs...)
}
