package leader

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var start = time.Unix(0, 0)

func options() Options { return Options{TTL: 8 * time.Second, Retry: 100 * time.Millisecond} }

func does(t *testing.T, as []Action, want string) {
	t.Helper()
	got := ""
	for _, a := range as {
		if _, ok := a.(Wake); !ok {
			got += fmt.Sprintf("%T%v ", a, a)
		}
	}
	if got != want {
		t.Fatalf("does %q, want %q", got, want)
	}
}

func TestCandidateOpensAcquiresAndLeads(t *testing.T) {
	m := New(options())
	does(t, m.Step(start, Tick{}), "leader.Open{8s} ")
	does(t, m.Step(start.Add(time.Second), Opened{"s", start}), "leader.Acquire{s} ")
	does(t, m.Step(start.Add(2*time.Second), Acquired{7}), "leader.Lead{s 7} ")
	if want := start.Add(7 * time.Second); !m.Deadline().Equal(want) {
		t.Errorf("deadline %v, want %v: it counts from when the call was sent", m.Deadline(), want)
	}
	does(t, m.Step(start.Add(4*time.Second), Tick{}), "leader.Renew{s} ")
	m.Step(start.Add(5*time.Second), Renewed{start.Add(4 * time.Second)})
	if want := start.Add(11 * time.Second); !m.Deadline().Equal(want) {
		t.Errorf("deadline %v, want %v", m.Deadline(), want)
	}
}

func TestLeaderStopsAtItsDeadline(t *testing.T) {
	m := New(options())
	m.Step(start, Tick{})
	m.Step(start, Opened{"s", start})
	m.Step(start, Acquired{7})
	m.Step(start.Add(3*time.Second), Tick{})
	does(t, m.Step(start.Add(7*time.Second), Tick{}), "leader.Lose{} leader.Close{s} ")
	if !m.Deadline().IsZero() {
		t.Error("it leads")
	}
}

// Its JobMaster has let events pass since.
func TestARenewalBehindTheDeadlineRevivesNobody(t *testing.T) {
	m := New(options())
	m.Step(start, Tick{})
	m.Step(start, Opened{"s", start})
	m.Step(start, Acquired{7})
	m.Step(start.Add(3*time.Second), Tick{})
	does(t, m.Step(start.Add(7500*time.Millisecond), Renewed{start.Add(3 * time.Second)}), "leader.Lose{} leader.Close{s} leader.Open{8s} ")
}

func TestDeniedCandidateTriesAgainAndKeepsItsSession(t *testing.T) {
	m := New(options())
	m.Step(start, Tick{})
	m.Step(start, Opened{"s", start})
	does(t, m.Step(start, Denied{}), "")
	does(t, m.Step(start.Add(100*time.Millisecond), Tick{}), "leader.Acquire{s} ")
	m.Step(start.Add(200*time.Millisecond), Denied{})
	does(t, m.Step(start.Add(4*time.Second), Tick{}), "leader.Renew{s} ")
}

func TestLostSessionBeginsAnew(t *testing.T) {
	m := New(options())
	m.Step(start, Tick{})
	m.Step(start, Opened{"s", start})
	m.Step(start, Acquired{7})
	m.Step(start.Add(2*time.Second), Tick{})
	does(t, m.Step(start.Add(3*time.Second), Failed{Gone: true}), "leader.Lose{} ")
	does(t, m.Step(start.Add(4*time.Second), Tick{}), "leader.Open{8s} ")
}

// Whatever the answers, Lead and Lose take turns, no two calls are in flight, and nobody
// leads behind its deadline.
func TestElectionUnderRandomAnswers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		m, now, leads := New(options()), start, false
		var call Action
		var sent time.Time
		for range 200 {
			now = now.Add(time.Duration(r.Int64N(int64(2 * time.Second))))
			ev := Event(Tick{})
			if call != nil && r.IntN(3) > 0 {
				ev, call = answer(r, call, sent), nil
			} else if r.IntN(20) == 0 {
				ev = Resign{}
			}
			for _, a := range m.Step(now, ev) {
				switch a.(type) {
				case Open, Acquire, Renew:
					if call != nil {
						t.Fatalf("%T while %T is in flight", a, call)
					}
					call, sent = a, now
				case Lead:
					if leads {
						t.Fatal("leads twice")
					}
					leads = true
				case Lose:
					if !leads {
						t.Fatal("loses what it has not")
					}
					leads = false
				}
			}
			if leads && !now.Before(m.Deadline()) {
				t.Fatal("leads behind its deadline")
			}
		}
	}
}

func answer(r *rand.Rand, call Action, sent time.Time) Event {
	if r.IntN(4) == 0 {
		return Failed{Gone: r.IntN(2) == 0}
	}
	switch call.(type) {
	case Open:
		return Opened{"s", sent}
	case Acquire:
		if r.IntN(2) == 0 {
			return Denied{}
		}
		return Acquired{1}
	}
	return Renewed{sent}
}
