package jobmaster

import (
	"context"
	"time"

	"blink/actors"
	"blink/jobmaster/exec"
	"blink/placement"
)

// placer is the actor "placement": it tells the resource manager what the job needs, and
// finds slots for what is to be deployed among those that executors offer.
type placer struct {
	config   Config
	epoch    uint64 // of the leader
	c        *actors.Ctx
	offers   []offer
	wanted   exec.Place // not yet placed
	placedAt time.Time  // when slots were last looked for
	declared int
	version  uint64 // of what was declared
	asking   bool
}

// offer is the slots of an executor that obeys this leader.
type offer struct {
	node  string
	slots int
}

// offered replaces what is on offer.
type offered struct{ offers []offer }

// needed says how many slots the job needs from now on.
type needed struct{ slots int }

// declareEvery is how often the demand is told again, since the resource manager may forget,
// and declareBackOff how soon after a failure.
const (
	declareEvery   = 5 * time.Second
	declareBackOff = 200 * time.Millisecond
)

type redeclare struct{}

// placeEvery is the least time between two searches for slots. Each looks at all that waits
// and at all offers, and a job's executors arrive one by one: those that come meanwhile are
// served together. The first is served at once.
const placeEvery = 20 * time.Millisecond

type placeNow struct{}

func newPlacer(config Config, epoch uint64) actors.Actor {
	return &placer{config: config, epoch: epoch}
}

// Receive places what is wanted when the offers have changed.
func (p *placer) Receive(c *actors.Ctx, m any) error {
	p.c = c
	switch m := m.(type) {
	case needed:
		p.declare(m.slots)
	case redeclare:
		p.declare(p.declared)
	case offered:
		p.offers = m.offers
		p.placeSoon()
	case exec.Place:
		p.wanted = m
		p.placeSoon()
	case placeNow:
		p.place()
	case exec.Release:
		p.wanted = exec.Place{}
		p.declare(0)
	}
	return nil
}

// declare tells the resource manager the total demand.
func (p *placer) declare(slots int) {
	p.declared = slots
	p.c.After("redeclare", declareEvery, redeclare{})
	if p.asking {
		return
	}
	p.asking = true
	p.version++
	rm, job, demand := p.config.Resources, p.config.Job, Demand{p.epoch, p.version, slots}
	p.c.Go("declare demand", func(ctx context.Context) (any, error) { return nil, rm.Declare(ctx, job, demand) }, func(_ any, err error) {
		p.asking = false
		switch {
		case err != nil:
			p.c.Log().Warn().Err(err).Int("slots", slots).Msg("the resource manager does not answer")
			p.c.After("redeclare", declareBackOff, redeclare{})
		case p.declared != slots:
			p.declare(p.declared)
		case slots == 0:
			p.c.Tell(p.c.Parent(), exec.Released{})
		}
	})
}

// placeSoon places at once, or when placeEvery is over.
func (p *placer) placeSoon() {
	if wait := p.placedAt.Add(placeEvery).Sub(p.c.Now()); wait > 0 {
		p.c.After("place", wait, placeNow{})
		return
	}
	p.place()
}

// place finds slots for the regions that are wanted, or says why not and waits for better
// offers. The JobMaster asks again for those that got none.
func (p *placer) place() {
	if len(p.wanted.Units) == 0 {
		return
	}
	if len(p.offers) > 0 {
		p.placedAt = p.c.Now()
	}
	var units []placement.Unit
	for _, u := range p.wanted.Units {
		units = append(units, placement.Unit{Group: u.Group, Index: u.Index, Previous: u.Previous})
	}
	assigned, refused := placement.Place(units, p.wanted.Regions, p.free())
	if len(refused) > 0 {
		first := refused[0]
		p.c.Log().Info().Str("group", units[first.Unit].Group).Int("subtask", units[first.Unit].Index).Int("others", len(refused)-1).Msg("no slot: " + first.Why)
	}
	if len(assigned) == 0 {
		return
	}
	var placed []exec.PlacedUnit
	for _, a := range assigned {
		placed = append(placed, exec.PlacedUnit{Group: units[a.Unit].Group, Index: units[a.Unit].Index, Slot: a.Slot})
	}
	p.wanted = exec.Place{}
	p.c.Tell(p.c.Parent(), exec.Placed{Units: placed})
}

// free are the offers, with the slots that others have.
func (p *placer) free() []placement.Offer {
	taken := map[string][]int{}
	for _, s := range p.wanted.Taken {
		taken[s.Node] = append(taken[s.Node], s.Index)
	}
	var offers []placement.Offer
	for _, o := range p.offers {
		offers = append(offers, placement.Offer{Node: o.node, Slots: o.slots, Taken: taken[o.node]})
	}
	return offers
}
