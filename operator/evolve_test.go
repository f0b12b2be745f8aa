package operator

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"blink/internal/codec"
	"blink/state"
)

// purse is a processor with a state of each kind; widePurse is what it becomes.
type purse struct {
	Coins state.Value[coin]
	All   state.List[coin]
	By    state.Map[string, coin]
	End   state.Timer
}

type coin struct {
	Cents int16
	Gone  []string
}

func (p *purse) Process(_ *Ctx[string], s sale, _ *Out[string]) error {
	c := coin{int16(s.Sum), []string{"x", s.Shop}}
	p.Coins.Set(c)
	p.All.Append(c)
	p.By.Set(fmt.Sprint(s.Sum), c)
	p.End.Set(time.Unix(100, 0))
	return nil
}

type widePurse struct {
	End   state.Timer
	By    state.Map[string, *wideCoin]
	New   state.Value[string]
	All   state.List[wideCoin]
	Coins state.Value[wideCoin]
}

type wideCoin struct {
	From  time.Time
	Value float64 `blink:"Value,was=Cents"`
}

func (p *widePurse) Process(_ *Ctx[string], s sale, out *Out[string]) error {
	text := fmt.Sprint(p.Coins.Get().Value, p.New.Get())
	for c := range p.All.All() {
		text += fmt.Sprint(" ", c.Value, c.From.IsZero())
	}
	for k, c := range p.By.All() {
		text += fmt.Sprint(" ", k, "=", c.Value)
	}
	at, _ := p.End.Pending()
	out.Emit(fmt.Sprint(text, " ", at.Unix()))
	return nil
}

func TestEveryKindOfStateFollowsItsType(t *testing.T) {
	b := newBench(t, NewProcess(shop, &purse{}), &kettle[string]{})
	sell(b, "a", 7)
	sell(b, "b", 1)
	sell(b, "a", 8)
	out := &kettle[string]{}
	is := newBench(t, NewProcess(shop, &widePurse{}), out).restore(b.snapshot())
	sell(is, "a", 9)
	sell(is, "b", 9)
	same(t, out.got, "8 7 true 8 true 7=7 8=8 100", "1 1 true 1=1 100")
	again := newBench(t, NewProcess(shop, &widePurse{}), out).restore(is.snapshot())
	sell(again, "b", 9)
	same(t, out.got[2:], "1 1 true 1=1 100")
}

// chestNow is what a chest becomes.
type chestNow struct {
	Label   *string `blink:"Label,was=Name"`
	Numbers []int
	Lid     bool
}

// hoard keeps what is committed.
type hoard struct{ got []chestNow }

func (hoard) Write(*int, time.Time) error                         { return nil }
func (hoard) Flush(context.Context) error                         { return nil }
func (hoard) Prepare(context.Context, uint64) ([]chestNow, error) { return nil, nil }
func (hoard) Close() error                                        { return nil }
func (h *hoard) Commit(_ context.Context, _ WriterInfo, _ uint64, all []chestNow) error {
	h.got = append(h.got, all...)
	return nil
}

// A checkpoint may be taken between the restore and the commit: what it holds is of the new
// form then, since it says so.
func TestOpenTransactionsFollowTheirType(t *testing.T) {
	v := newVault(t, &vault{}).start()
	send(v, 5, 0)
	send(v, 6, 0)
	v.check(v.op.(SinkOperator).Prepare(background, 1))
	h := &hoard{}
	sink := NewSink("hoard", func(context.Context, WriterInfo) (Writer[int, chestNow], error) { return h, nil }, h)
	b := newBench(t, sink.Spec(), nil).restore(v.snapshot())
	p := b.snapshot()
	label := "chest 1"
	want := []chestNow{{Label: &label, Numbers: []int{5, 6}}}
	now, err := codec.For[chestNow]()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := now.Decode(nil, p.Items[0].Data[8:]); err != nil || !reflect.DeepEqual(got, want) || p.States[0].Schema != now.Schema() {
		t.Errorf("stored again as %+v of %q (%v)", got, p.States[0].Schema, err)
	}
	newBench(t, sink.Spec(), nil, func(b *bench) { b.task.Restored = 1 }).restore(p).start()
	if !reflect.DeepEqual(h.got, want) {
		t.Errorf("committed %+v", h.got)
	}
}
