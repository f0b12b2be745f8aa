package nexmark

import "testing"

// pair is a row of two numbers.
type pair struct{ a, b int64 }

func (p pair) AddTo(d *Digest) { d.Add(d.Begin().Number(p.a).Number(p.b)) }

// words is a row of texts.
type words []string

func (w words) AddTo(d *Digest) {
	c := d.Begin()
	for _, s := range w {
		c = c.Text(s)
	}
	d.Add(c)
}

// The digests were computed by a few lines of another language, from the definition.
func TestADigestIsTheDefinedOne(t *testing.T) {
	auction := Auction{11, "i", "d", 2, 3, 4, 5, 6, 7, "x"}
	for _, c := range []struct {
		what string
		rows []Row
		want Digest
	}{
		{"nothing", nil, Digest{0, 0, 0, true}},
		{"a known FNV-1a", []Row{words{"foobar"}}, Digest{1, 0xb54cda584ef23226, 0x85944171f73967e8, true}},
		{"empty texts", []Row{words{"", ""}}, Digest{1, 0, 0xaf63f14c8602103b, true}},
		{"rows of q2", []Row{&Pick{1000, 5}, &Pick{1000, 5}, &Pick{1123, 700}}, Digest{3, 0x7a8e3811edbcb819, 0xabe536f5b085be03, true}},
		{"numbers and a text", []Row{&Trade{10, 20, 30, 4, "xyz"}}, Digest{1, 0x676491d4389260bb, 0x96e766001d4e1d62, true}},
		{"a row of q9", []Row{&Sale{auction, Trade{1, 2, 3, 4, "e"}}}, Digest{1, 0xe2164ef761f77893, 0x53a6390f6187fbf8, true}},
		{"a row of q20", []Row{&Match{Bid{1, 2, 3, "c", "u", 4, "e"}, auction}}, Digest{1, 0xc571cba68bc13cf9, 0x59ccdb75d96b0496, true}},
	} {
		t.Run(c.what, func(t *testing.T) {
			d, cheap := WithFull(), Digest{}
			for _, r := range c.rows {
				r.AddTo(&d)
				r.AddTo(&cheap)
			}
			if d != c.want {
				t.Errorf("have %d rows, %#016x, %#016x", d.Rows, d.Cheap, d.Full)
			}
			if cheap != (Digest{Rows: c.want.Rows, Cheap: c.want.Cheap}) {
				t.Errorf("without full: %d rows, %#016x, %#016x", cheap.Rows, cheap.Cheap, cheap.Full)
			}
		})
	}
}

func TestADigestDependsOnTheRowsAndNotOnTheirOrder(t *testing.T) {
	sum := func(rows ...Row) Digest {
		d := WithFull()
		for _, r := range rows {
			r.AddTo(&d)
		}
		return d
	}
	a, b, c := pair{1, 2}, pair{2, 1}, pair{-3, 4}
	all := sum(a, b, c)
	if sum(c, a, b) != all {
		t.Error("another order, another digest")
	}
	parts := sum(b)
	parts.Merge(sum(a, c))
	if parts != all {
		t.Error("the sum of the parts is another digest")
	}
	for _, other := range []Digest{sum(a, a, c), sum(a, b, c, c), sum(a, b), sum(a, b, words{"-3", "4"})} {
		if other.Cheap == all.Cheap {
			t.Errorf("other rows, the same cheap digest %#x", all.Cheap)
		}
	}
}

func TestADigestAllocatesNothing(t *testing.T) {
	full, cheap := WithFull(), Digest{}
	row := &Match{Bid: Bid{Auction: 123456789, Extra: "some text"}}
	for _, d := range []*Digest{&full, &cheap} {
		if allocs := testing.AllocsPerRun(100, func() { row.AddTo(d) }); allocs != 0 {
			t.Errorf("%v allocations a row", allocs)
		}
	}
}

func BenchmarkTrade(b *testing.B) {
	r := Trade{1000, 2000, 300, 1_700_000_000_000, "some text"}
	for what, d := range map[string]Digest{"cheap": {}, "full": WithFull()} {
		b.Run(what, func(b *testing.B) {
			for b.Loop() {
				r.AddTo(&d)
			}
		})
	}
}
