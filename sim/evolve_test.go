package sim

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"blink"
	"blink/connector/files"
	"blink/operator"
)

// purse is the state of a job until it is stopped, and widePurse when it is run again.
type (
	purse struct {
		Names []string
		Sum   int16
		At    struct{ N uint8 }
		Gone  map[string][]int64
	}
	widePurse struct {
		New   map[int]string
		Total float64 `blink:"Total,was=Sum"`
		At    *struct {
			Note []byte
			N    int
		}
		Names []string
	}
)

type paying struct{ Purse blink.Value[purse] }

func (p *paying) Process(ctx *blink.Ctx[int64], n int64, out *blink.Out[factRow]) error {
	s := p.Purse.Ref()
	s.Sum, s.At.N, s.Names = s.Sum+int16(n), uint8(n), append(s.Names, "x")
	s.Gone = map[string][]int64{"": {n}, "n": nil}
	out.Emit(payRow(ctx.Key(), int64(s.Sum), len(s.Names), int64(s.At.N)))
	return nil
}

type payingOn struct {
	Purse    blink.Value[widePurse]
	tookOver *int // states that the first program had written
}

func (p *payingOn) Process(ctx *blink.Ctx[int64], n int64, out *blink.Out[factRow]) error {
	s := p.Purse.Ref()
	if s.New != nil || s.At != nil && s.At.Note != nil {
		return fmt.Errorf("new fields are not zero: %+v", s)
	}
	if s.At != nil && len(s.Names) > 0 && s.Names[len(s.Names)-1] == "x" {
		*p.tookOver++
	} else if s.At == nil {
		s.At = new(struct {
			Note []byte
			N    int
		})
	}
	s.Total, s.At.N, s.Names = s.Total+float64(n), int(n), append(s.Names, "y")
	out.Emit(payRow(ctx.Key(), int64(s.Total), len(s.Names), int64(s.At.N)))
	return nil
}

func payRow(key, sum int64, count int, last int64) factRow {
	return factRow{ID: key + 10*last + 1000*int64(count) + 1_000_000*sum}
}

// paymentSource gives the numbers from 0 on, one a batch.
func paymentSource() blink.Source[int64] {
	o := blink.SourceOptions{Name: "numbers", Bounded: true, NonBlocking: true}
	return blink.NewSource(o, drops(1), func(_ context.Context, _ blink.FS, d drop) (blink.Reader[int64, drop], error) {
		return &payments{d}, nil
	})
}

const allPayments = 100

type payments struct{ drop }

func (p *payments) Next(ctx context.Context, into *blink.Records[int64]) error {
	if p.N == allPayments {
		return io.EOF
	}
	return p.drop.Next(ctx, into)
}

// paid sums numbers by key; from Rescale on with other types.
func paid(tookOver *int) Workload {
	const keys = 5
	changed := false
	var want []string
	var sum, count [keys]int64
	for n := range int64(allPayments) {
		sum[n%keys] += n
		count[n%keys]++
		want = append(want, fmt.Sprint(payRow(n%keys, sum[n%keys], int(count[n%keys]), n).ID))
	}
	slices.Sort(want)
	return Workload{
		Name: "payments", Records: allPayments,
		Program: func() (*operator.Program, error) {
			job := blink.NewJob("payments", nil).MaxParallelism(8)
			keyed := job.Read(paymentSource()).ID("numbers").KeyBy(func(n int64) int64 { return n % keys })
			if out := files.CSV("out/rows.csv"); changed {
				keyed.Process(&payingOn{tookOver: tookOver}).ID("purses").Parallelism(2).Write(out)
			} else {
				keyed.Process(&paying{}).ID("purses").Write(out)
			}
			return job.Program()
		},
		Rescale: func() { changed = true },
		Check: func(files map[string]string) error {
			var got []string
			for _, row := range strings.Fields(files["out/rows.csv"])[1:] {
				id, _, _ := strings.Cut(row, ",")
				got = append(got, id)
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				return fmt.Errorf("%d rows %v, want %d %v", len(got), got, len(want), want)
			}
			return nil
		},
	}
}

func TestAJobWhoseTypesChangedSurvivesFaults(t *testing.T) {
	tookOver := 0
	for seed := uint64(1); seed <= 20; seed++ {
		s, err := Draw(seed, paid(&tookOver))
		if err != nil {
			t.Fatal(err)
		}
		s.Faults = append(s.Faults, Fault{At: s.Horizon / 2, Kind: StopJob})
		if out := Run(seed, s); out.Err != nil {
			t.Errorf("seed %d: %v\n%v", seed, out.Err, out.Plan)
		}
	}
	if tookOver < 20 {
		t.Errorf("%d states were taken over: the job was stopped too late or too early", tookOver)
	}
}
