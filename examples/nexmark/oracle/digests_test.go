package oracle

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"blink/connector/nexmark"
)

var rewrite = flag.Bool("rewrite", false, "write the golden file anew")

// million is the number of events of the golden digests.
const million = 1_000_000

// defined are digests that another program has computed, from the same definition.
const defined = `
q0 920000 69a5a25bb571d369 37a800cad6f628d0
q1 920000 c8235e57882c6e73 df13a416f3948b06
q2 6932 587396fa7cda9734 4ff19133990c56c0
q3 5660 df97b5641c67b946 d66389935b572118
q4 55 56d657981b3a5d62 8c6d925547f82d62
q8 8456 3b67d53ef914f523 3c9fdd8fafc7d352
q18 755090 39eba8713ae38671 72d674d5334c641b
`

func TestAMillionEventsHaveTheKnownDigests(t *testing.T) {
	g := nexmark.NewGenerator()
	var lines []string
	for _, q := range Queries() {
		d := nexmark.WithFull()
		q.Run(Generated(g, million), &d)
		lines = append(lines, fmt.Sprintf("%s %d %016x %016x", q.Name, d.Rows, d.Cheap, d.Full))
	}
	have := strings.Join(lines, "\n") + "\n"
	for _, want := range strings.Split(strings.TrimSpace(defined), "\n") {
		if !strings.Contains("\n"+have, "\n"+want+"\n") {
			t.Errorf("lacks %s", want)
		}
	}
	const golden = "testdata/digests.txt"
	if *rewrite {
		if err := os.WriteFile(golden, []byte(have), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if have != string(want) {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
}

// BenchmarkLoop is what a query costs without an engine, its digest and the generator
// included.
func BenchmarkLoop(b *testing.B) {
	g := nexmark.NewGenerator()
	b.Run("none", func(b *testing.B) {
		perEvent(b, func() {
			in := Generated(g, million)
			for in.Next() != nil {
			}
		})
	})
	for _, q := range Queries() {
		b.Run(q.Name, func(b *testing.B) {
			perEvent(b, func() {
				var d nexmark.Digest
				q.Run(Generated(g, million), &d)
			})
		})
	}
}

func perEvent(b *testing.B, run func()) {
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/event")
}
