package blink_test

import (
	"cmp"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"blink"
	"blink/connector/files"
	"blink/graph"
)

// hit is the record of the jobs below.
type hit struct{ User string }

func (h hit) user() string          { return h.User }
func (h hit) weight() float64       { return 1 }
func (h hit) at() time.Time         { return time.Unix(0, 0) }
func (h hit) known() bool           { return h.User != "" }
func (h hit) again() hit            { return h }
func (h hit) mayFail() (hit, error) { return h, nil }
func (h hit) opaque() opaque        { return opaque{} }
func (h hit) basket() basket        { return basket{} }
func (h hit) pipe() chan int        { return nil }

// opaque records, cursors of a source or sink, and bags of a window cannot be stored.
type (
	opaque struct{ done chan int }
	cursor struct{ open func() }
	bag    struct{ sum complex128 }
)

// basket can be stored and is no line of a CSV file.
type basket struct {
	Prices map[string]int
	Tags   []string
}

// The job is refused because of these fields; nobody else looks at them.
var _ = []any{opaque{done: nil}, cursor{open: nil}, bag{sum: 0}, wrong{last: blink.Value[opaque]{}, once: blink.Value[int]{}, twice: blink.Value[int]{}, lost: blink.Tag[string]{}}}

func (cursor) ID() string    { return "" }
func (*bag) Add(hit)         {}
func (*bag) Merge(bag)       {}
func (b *bag) Result() int64 { return 0 }

// weights is an accumulator.
type weights struct{ Sum float64 }

func (w *weights) Add(h hit)       { w.Sum += h.weight() }
func (w *weights) Merge(o weights) { w.Sum += o.Sum }
func (w *weights) Result() float64 { return w.Sum }

// page is a split.
type page struct{ Name string }

func (p page) ID() string { return p.Name }

// wrong is a processor of which only Process is right.
type wrong struct {
	last  blink.Value[opaque]
	once  blink.Value[int] `state:"n"`
	twice blink.Value[int] `state:"n"`
	lost  blink.Tag[string]
	seen  map[string]bool
}

func (*wrong) Process(*blink.Ctx[string], hit, *blink.Out[hit]) error       { return nil }
func (*wrong) OnTimer(*blink.Ctx[int], *blink.Timer, *blink.Out[hit]) error { return nil }
func (*wrong) Open() error                                                  { return nil }
func (*wrong) Close()                                                       {}

// twins is a processor with two side outputs.
type twins struct{ a, b blink.Tag[string] }

func (*twins) Process(*blink.Ctx[string], hit, *blink.Out[hit]) error { return nil }

// pairs is a co-processor.
type pairs struct{}

func (*pairs) ProcessLeft(*blink.Ctx[string], hit, *blink.Out[hit]) error  { return nil }
func (*pairs) ProcessRight(*blink.Ctx[string], hit, *blink.Out[hit]) error { return nil }

// topic is a source that does not end.
func topic() blink.Source[hit] {
	return blink.NewSource[hit, page](blink.SourceOptions{Name: "topic"}, nil, nil)
}

// archive is a source that ends, of records with event times.
func archive() blink.Source[hit] {
	return blink.NewSource[hit, page](blink.SourceOptions{Name: "archive", Bounded: true}, nil, nil)
}

// everyMistake makes every mistake. What is said against a line stands below it.
func everyMistake(job *blink.Job) {
	job.Int("n", 1, "a number")
	// parameter --n=one: want an integer
	job.Duration("d", time.Second, "a time")
	// parameter --d=1: want a duration such as 90s
	job.Bool("b", false, "a choice")
	// parameter --b=maybe: want true or false
	job.String("n", "", "another")
	// parameter "n" is declared twice
	job.String("-x", "", "a flag of its own")
	// parameter "-x": a name is a letter, then letters, digits, - and _
	job.Int("a=b", 1, "a setting")
	// parameter "a=b": a name is a letter, then letters, digits, - and _
	job.Bool("", false, "nothing")
	// parameter "": a name is a letter, then letters, digits, - and _
	job.String("a b", "", "two words")
	// parameter "a b": a name is a letter, then letters, digits, - and _
	job.Refuse("n", "at least 5")
	// parameter --n=one: want at least 5
	job.Refuse("m", "at least 5")
	// Refuse: parameter "m" is not declared

	hits := job.Read(archive()).ID("hits")
	job.Read(blink.Source[hit]{})
	// read: it is the zero value: make it with NewSource, NewSink or a connector
	job.Read(blink.NewSource[hit, cursor](blink.SourceOptions{Name: "log"}, nil, nil))
	// read: splits of source "log": type blink_test.cursor: field open of type func() cannot be stored: it is a func

	hits.Filter(hit.known).ID("")
	// filter: ID "": it must not be empty nor hold a line break
	hits.Filter(hit.known).ID("a\nb")
	// filter: ID "a\nb": it must not be empty nor hold a line break
	hits.Filter(hit.known).ID("hits")
	// ID "hits" is taken by the operator at errors_test.go:N
	hits.Filter(hit.known).ID("less").Parallelism(-1)
	// operator "less": parallelism -1: at least 1, or 0 for the job's
	hits.Filter(hit.known).ID("more").Parallelism(129)
	// operator "more": parallelism 129 is above the job's max parallelism 128
	hits.
		Map(hit.again).
		Map(hit.opaque).
		// map: type blink_test.opaque: field done of type chan int cannot be stored: it is a chan
		Map(func(opaque) int { return 0 })
	hits.EventTime(hit.at, blink.BoundedOutOfOrder(-time.Second))
	// eventtime: watermarks out of order by ≤ -1s: a duration must not be negative
	hits.EventTime(hit.at, blink.Ascending().Idle(-time.Second))
	// eventtime: watermarks out of order by ≤ 0s, idle after -1s: a duration must not be negative
	hits.Try(hit.mayFail, blink.DeadLetter(blink.NewTag[blink.Failure[int]]("bad")))
	// try: dead letters to "bad" are of operator.Failure[int], and the records that may fail need a Tag[operator.Failure[blink_test.hit]]
	hits.Try(hit.mayFail, blink.DeadLetter(blink.Tag[blink.Failure[hit]]{}))
	// try: a Tag without a name: make it with NewTag

	var nothing func(hit) hit
	hits.Map(nothing)
	// map: it is given nil instead of a func(blink_test.hit) blink_test.hit
	hits.MapInto[hit](nil)
	// map: it is given nil instead of a func(*blink_test.hit, *blink_test.hit)
	hits.Update((func(*hit))(nil))
	// update: it is given nil instead of a func(*blink_test.hit)
	hits.Filter((func(hit) bool)(nil))
	// filter: it is given nil instead of a func(blink_test.hit) bool
	hits.FlatMap[hit](nil)
	// flatmap: it is given nil instead of a func(blink_test.hit, *operator.Out[blink_test.hit])
	hits.Try[hit](nil)
	// try: it is given nil instead of a func(blink_test.hit) (blink_test.hit, error)
	hits.EventTime((func(hit) time.Time)(nil), blink.Ascending())
	// eventtime: it is given nil instead of a func(blink_test.hit) time.Time
	hits.KeyBy[string](nil)
	// keyby: it is given nil instead of a func(blink_test.hit) string

	hits.KeyBy(hit.weight).Count()
	// keyby: key type float64 is a float, and NaN equals nothing
	hits.KeyBy(hit.weight).Window(blink.Tumbling(time.Minute)).Count()
	// keyby: key type float64 is a float, and NaN equals nothing
	hits.KeyBy(hit.at)
	// keyby: key type time.Time is a time.Time, whose equal instants may differ: use UnixNano or a string
	byUser := hits.KeyBy(hit.user)
	byUser.Process(&wrong{seen: map[string]bool{}})
	// process: blink_test.wrong: field lost is a Tag without a name: make it with NewTag
	// process: blink_test.wrong: field seen is a map[string]bool that all tasks of a process would share: make it state, or make it in Open
	// process: state "last": type blink_test.opaque: field done of type chan int cannot be stored: it is a chan
	// process: state "n" is declared twice
	// process: blink_test.wrong: method OnTimer has the wrong type
	// have func(*blink_test.wrong, *operator.Ctx[int], *state.Timer, *operator.Out[blink_test.hit]) error
	// want func(*blink_test.wrong, *blink.Ctx[string], *blink.Timer, *blink.Out[blink_test.hit]) error
	// process: blink_test.wrong: method Open has the wrong type
	// have func(*blink_test.wrong) error
	// want func(*blink_test.wrong, context.Context) error
	// process: blink_test.wrong: method Close has the wrong type
	// have func(*blink_test.wrong)
	// want func(*blink_test.wrong) error
	byUser.Process((*twins)(nil))
	// process: *blink_test.twins: the prototype is nil
	byUser.Process(&twins{blink.NewTag[string]("one"), blink.NewTag[string]("one")})
	// process: two side outputs are called "one"
	byUser.Scan(func(*opaque, hit, *blink.Out[hit]) {})
	// scan: state "scan": type blink_test.opaque: field done of type chan int cannot be stored: it is a chan
	byUser.Scan(func(*int, hit, *blink.Out[hit]) {}, blink.TTL(-time.Hour))
	// scan: state "scan": TTL of -1h0m0s: it must not be negative
	byUser.Scan[int, hit](nil)
	// scan: it is given nil instead of a func(*int, blink_test.hit, *operator.Out[blink_test.hit])
	byUser.Reduce((func(a, b hit) hit)(nil))
	// reduce: it is given nil instead of a func(blink_test.hit, blink_test.hit) blink_test.hit
	byUser.Distinct(blink.TTL(-time.Hour))
	// distinct: state "seen": TTL of -1h0m0s: it must not be negative
	byUser.Top(0, hit.weight, cmp.Compare[float64], func(int, hit) hit { return hit{} })
	// top: top 0: at least 1
	byUser.Top[int, hit](1, nil, nil, nil)
	// top: it is given nil instead of a func(int, blink_test.hit) blink_test.hit
	// top: it is given nil instead of a func(int, int) int
	// top: it is given nil instead of a func(blink_test.hit) int
	byUser.Top(1, func(hit) opaque { return opaque{} }, func(a, b opaque) int { return 0 }, func(int, hit) hit { return hit{} })
	// top: state "top": type blink_test.opaque: field done of type chan int cannot be stored: it is a chan
	byMinute := byUser.Window(blink.Tumbling(time.Minute))
	byMinute.Sum[int](nil)
	// window: it is given nil instead of a func(blink_test.hit) int
	byMinute.Reduce((func(a, b hit) hit)(nil))
	// window: it is given nil instead of a func(blink_test.hit, blink_test.hit) blink_test.hit
	byMinute.MaxBy[int](nil)
	// window: it is given nil instead of a func(blink_test.hit) int
	byMinute.MinBy[int](nil)
	// window: it is given nil instead of a func(blink_test.hit) int
	byMinute.Aggregate((*weights)(nil))
	// window: it is given nil instead of a *blink_test.weights
	byUser.Window(blink.Window{}).Count()
	// window: no window given: use Tumbling, Sliding or Session
	byUser.Window(blink.Tumbling(0)).Count()
	// window: tumbling window of size 0s: the size must be positive
	byUser.Window(blink.Sliding(time.Minute, time.Hour)).Count()
	// window: sliding window of 1m0s by 1h0m0s: the slide must be positive and at most the size
	byMinute.AllMaxBy[int](nil)
	// window: it is given nil instead of a func(blink_test.hit) int
	byMinute.AllMinBy[int](nil)
	// window: it is given nil instead of a func(blink_test.hit) int
	byMinute.Top(0, func(a, b hit) int { return 0 })
	// window: top 0: at least 1
	byMinute.Top(1, (func(a, b hit) int)(nil))
	// window: it is given nil instead of a func(blink_test.hit, blink_test.hit) int
	byUser.Join(byUser).Apply(func(l, r *hit) hit { return *l })
	// window: no window given: use Tumbling, Sliding or Session
	byUser.LeftJoin(byUser).Window(blink.Tumbling(time.Minute)).Apply[hit](nil)
	// window: it is given nil instead of a func(*blink_test.hit, *blink_test.hit) blink_test.hit
	byUser.Window(blink.Session(-time.Second)).Count()
	// window: session window with a gap of -1s: the gap must be positive and at most 50 years
	byUser.Window(blink.Session(time.Minute).Offset(time.Hour)).Count()
	// window: session window with an offset of 1h0m0s: sessions begin with their first record
	byUser.Window(blink.Tumbling(time.Minute)).AllowedLateness(-time.Second).Aggregate(&bag{})
	// window: allowed lateness of -1s: it must not be negative
	// window: type blink_test.bag: field sum of type complex128 cannot be stored: it is a complex128
	job.Read(topic()).KeyBy(hit.user).Window(blink.Tumbling(time.Minute)).Count()
	// window: it never closes, since the source at errors_test.go:N neither ends nor has watermarks: put EventTime between them
	job.Read(blink.Values(hit{"ann"})).Filter(hit.known).KeyBy(hit.user).Window(blink.Tumbling(time.Minute)).Count()
	// window: the records of the source at errors_test.go:N have no event time: put EventTime between them

	panes := byUser.Window(blink.Tumbling(time.Minute)).LateTo(blink.NewTag[hit]("late")).Count()
	panes.Side(blink.NewTag[hit]("early"))
	// side: operator window tumbling 1m0s count (errors_test.go:N) has no side output "early"
	panes.Side(blink.NewTag[string]("late"))
	// side: operator window tumbling 1m0s count (errors_test.go:N) has side output "late" of blink_test.hit, not of string
	hits.Union(hits).Side(blink.NewTag[hit]("late")).Map(hit.again)
	// side: operator union (errors_test.go:N) has no side output "late"

	hits.Union(hits).ID("all").Map(hit.again)
	// union: it only says where records go: name, ID, parallelism, slot and chain belong to the verb after it
	hits.Rebalance().Parallelism(4)
	// rebalance: it only says where records go: name, ID, parallelism, slot and chain belong to the verb after it
	other := blink.NewJob("other", nil).Read(blink.Values(hit{"bob"}))
	hits.Union(other).Map(hit.again)
	// union: the stream from errors_test.go:N belongs to another job
	byUser.Connect(other.KeyBy(hit.user)).Process(&pairs{})
	// process: the stream from errors_test.go:N belongs to another job

	hits.Union(blink.Stream[hit]{}).Map(hit.again)
	// union: a zero Stream or Keyed: take one that Read or another verb has returned
	byUser.Connect(blink.Keyed[string, hit]{}).Process(&pairs{})
	// process: a zero Stream or Keyed: take one that Read or another verb has returned

	hits.Write(blink.AnySink{})
	// write: it is the zero value: make it with NewSource, NewSink or a connector
	hits.Write(blink.Sink[hit]{})
	// write: it is the zero value: make it with NewSource, NewSink or a connector
	hits.Write(blink.NewSink[hit, cursor]("database", nil, nil))
	// write: transactions of sink "database": type blink_test.cursor: field open of type func() cannot be stored: it is a func
	hits.Map(hit.basket).Write(files.CSV("out/"))
	// write: field Prices of type map[string]int cannot be a CSV cell: leave it out with `csv:"-"`, or map the record first
	// write: field Tags of type []string cannot be a CSV cell: leave it out with `csv:"-"`, or map the record first
	pipes := hits.Map(hit.pipe)
	// map: type chan int cannot be stored: it is a chan
	pipes.Write(files.CSV("out.csv"))
	// write: type chan int cannot be stored: it is a chan
	// write: a CSV file cannot hold chan int: write a struct of numbers, strings, bools and times
	hits.Write(files.CSV("./out.csv")).ID("again")
	// operator "again" writes to out.csv, as the operator at errors_test.go:N does: two sinks cannot share it
	hits.Write(files.CSV("out")).ID("file")
	// operator "file" writes to out, as the operator at errors_test.go:N does: two sinks cannot share it
	hits.Write(files.CSV(""))
	// write: the name of a CSV file is empty: name a file, or a folder with a slash at its end
	hits.Map(func(hit) []string { return nil }).Write(files.Table("a/..", "user"))
	// write: the name of a CSV file is empty: name a file, or a folder with a slash at its end
}

func TestEveryMistakeIsToldAtOnceWithItsPlace(t *testing.T) {
	_, err := blink.Define("mistakes", everyMistake).Describe(map[string]string{"n": "one", "d": "1", "b": "maybe"})
	if err == nil {
		t.Fatal("the job was built")
	}
	want, got := foretold(t), told(err)
	for line := range 1000 {
		if !slices.Equal(got[line], want[line]) {
			t.Errorf("errors_test.go:%d: said\n%s\nwant\n%s", line, strings.Join(got[line], "\n"), strings.Join(want[line], "\n"))
		}
	}
}

// placed is a line of an error that says where in this file the mistake is.
var placed = regexp.MustCompile(`^errors_test\.go:(\d+): (.*)$`)

// told are the texts of an error by the line that they speak of, 0 if none. A line that
// begins with a tab goes on with the one before.
func told(err error) map[int][]string {
	said, line := map[int][]string{}, 0
	for text := range strings.Lines(err.Error()) {
		text = strings.TrimSuffix(text, "\n")
		if p := placed.FindStringSubmatch(text); p != nil {
			line, _ = strconv.Atoi(p[1]) // digits
			text = p[2]
		} else if !strings.HasPrefix(text, "\t") {
			line = 0
		}
		text = regexp.MustCompile(`errors_test\.go:\d+`).ReplaceAllString(text, "errors_test.go:N")
		said[line] = append(said[line], strings.TrimSpace(text))
	}
	return said
}

// foretold are the comments of everyMistake by the line of code above them.
func foretold(t *testing.T) map[int][]string {
	t.Helper()
	said, line, inside := map[int][]string{0: {`job "mistakes" cannot be built:`}}, 0, false
	for i, text := range strings.Split(string(need(os.ReadFile("errors_test.go"))(t)), "\n") {
		comment, is := strings.CutPrefix(strings.TrimSpace(text), "// ")
		switch {
		case strings.HasPrefix(text, "func everyMistake("):
			inside = true
		case text == "}":
			inside = false
		case inside && is:
			said[line] = append(said[line], comment)
		default:
			line = i + 1
		}
	}
	return said
}

func TestAnErrorOfASplitNamesThePlaceOfItsSource(t *testing.T) {
	p := need(blink.Define("copy", func(j *blink.Job) { j.Read(files.Lines("none.txt")).Write(files.CSV("out.csv")) }).Describe(nil))(t)
	_, err := p.Factories[0].Splits(t.Context(), files.OS())
	if want := regexp.MustCompile(`^errors_test\.go:\d+: read: read none.txt: file does not exist$`); err == nil || !want.MatchString(err.Error()) {
		t.Errorf("said %v", err)
	}
}

// copying is the shortest job.
func copying(j *blink.Job) { j.Read(blink.Values(hit{"ann"})).Write(files.CSV("out.csv")) }

func TestAJobIsRefusedAsAWhole(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(*blink.Job)
		want  string
	}{
		{"nothing to read", func(*blink.Job) {}, `job "whole" reads nothing`},
		{"nothing written", func(j *blink.Job) { j.Read(blink.Values(hit{"ann"})).Filter(hit.known) }, `job "whole" writes nothing: end a stream with Write`},
		{"no tasks", func(j *blink.Job) { copying(j.Parallelism(0)) }, `job "whole": parallelism 0: at least 1`},
		{"more tasks than key groups", func(j *blink.Job) { copying(j.Parallelism(9).MaxParallelism(8)) }, `job "whole": parallelism 9 is above its max parallelism 8`},
		{"too many key groups", func(j *blink.Job) { copying(j.MaxParallelism(1 << 16)) }, `job "whole": max parallelism 65536: from 1 to 32768`},
		{"time going back", func(j *blink.Job) { copying(j.CheckpointEvery(-time.Second)) }, `job "whole": checkpoint interval of -1s: at least 1ms, or 0 for none`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := blink.Define("whole", c.build).Describe(nil)
			if want := "job \"whole\" cannot be built:\n" + c.want; err == nil || err.Error() != want {
				t.Errorf("said %v\nwant %s", err, want)
			}
		})
	}
}

func TestAVerbOfAZeroStreamPanicsAndSaysWhy(t *testing.T) {
	for name, verb := range map[string]func(){
		"map":    func() { blink.Stream[hit]{}.Map(hit.again) },
		"union":  func() { blink.Stream[hit]{}.Union() },
		"write":  func() { blink.Stream[hit]{}.Write(files.CSV("out.csv")) },
		"count":  func() { blink.Keyed[string, hit]{}.Count() },
		"window": func() { blink.Keyed[string, hit]{}.Window(blink.Tumbling(time.Minute)).Count() },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, "a zero Stream or Keyed: take one that Read") {
					t.Errorf("said %s", said)
				}
			}()
			verb()
		})
	}
}

func TestAParameterThatNobodyDeclaresIsRefused(t *testing.T) {
	_, err := blink.Define("copy", copying).Describe(map[string]string{"on": "x"})
	if err == nil || !strings.Contains(err.Error(), `parameter --on: job "copy" declares none of this name`) {
		t.Errorf("said %v", err)
	}
}

func TestParametersHaveTheirDefaultsUnlessGiven(t *testing.T) {
	var got []any
	build := func(j *blink.Job) {
		got = []any{j.String("in", "a.log", ""), j.Int("n", 3, ""), j.Duration("every", time.Second, ""), j.Bool("deep", true, "")}
		copying(j)
	}
	for _, c := range []struct {
		given map[string]string
		want  []any
	}{
		{nil, []any{"a.log", 3, time.Second, true}},
		{map[string]string{"in": "", "n": "-1", "every": "90s", "deep": "false"}, []any{"", -1, 90 * time.Second, false}},
	} {
		need(blink.Define("copy", build).Describe(c.given))(t)
		if !slices.Equal(got, c.want) {
			t.Errorf("given %v: %v, want %v", c.given, got, c.want)
		}
	}
}

func TestWindowsThatCanCloseAreTaken(t *testing.T) {
	for name, s := range map[string]func(*blink.Job) blink.Stream[hit]{
		"the source ends": func(j *blink.Job) blink.Stream[hit] { return j.Read(archive()) },
		"there are watermarks": func(j *blink.Job) blink.Stream[hit] {
			return j.Read(topic()).EventTime(hit.at, blink.Ascending()).Filter(hit.known)
		},
		"user code may give the records a time": func(j *blink.Job) blink.Stream[hit] {
			return j.Read(blink.Values(hit{"ann"})).FlatMap(func(h hit, out *blink.Out[hit]) { out.EmitAt(h, h.at()) })
		},
		"the source has watermarks": func(j *blink.Job) blink.Stream[hit] {
			o := blink.SourceOptions{Name: "topic", Watermarks: true}
			return j.Read(blink.NewSource[hit, page](o, nil, nil))
		},
	} {
		j := blink.NewJob("windows", nil)
		s(j).KeyBy(hit.user).Window(blink.Tumbling(time.Minute)).Count().Write(files.CSV("out.csv"))
		if _, err := j.Program(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// everyWay has all the ways in which records reach an operator.
func everyWay(j *blink.Job) {
	late := blink.NewTag[hit]("late")
	a, b := j.Read(archive()), j.Read(archive())
	both := a.Union(b.Rebalance())
	panes := both.KeyBy(hit.user).Window(blink.Tumbling(time.Minute)).LateTo(late).Count()
	panes.Side(late).KeyBy(hit.user).Connect(both.KeyBy(hit.user)).Process(&pairs{}).Write(files.CSV("pairs.csv"))
	panes.Rebalance().Write(files.CSV("panes.csv"))
}

func TestRecordsGoWhereTheVerbsSay(t *testing.T) {
	job := need(blink.Define("ways", everyWay).Describe(nil))(t).Job
	byUser := func(from int, tag string, input int) graph.Edge {
		return graph.Edge{From: from, Tag: tag, Ship: graph.Hash, Input: input, Key: "string"}
	}
	want := [][]graph.Edge{
		nil,
		nil,
		{byUser(0, "", 0), byUser(1, "", 0)},
		{byUser(2, "late", 0), byUser(0, "", 1), byUser(1, "", 1)},
		{{From: 3}},
		{{From: 2, Ship: graph.Rebalance}},
	}
	for i, o := range job.Operators {
		if !slices.Equal(o.In, want[i]) {
			t.Errorf("%s: %+v, want %+v", o.ID, o.In, want[i])
		}
	}
}

func TestAnEdgeHasAHashWhenItIsShippedByOne(t *testing.T) {
	p := need(blink.Define("ways", everyWay).Describe(nil))(t)
	for i, o := range p.Job.Operators {
		if len(p.Factories[i].Hash) != len(o.In) {
			t.Fatalf("%s: %d edges and %d hashes", o.ID, len(o.In), len(p.Factories[i].Hash))
		}
		for e, in := range o.In {
			if _, has := p.Factories[i].Hash[e].(func(*hit) uint64); has != (in.Ship == graph.Hash) {
				t.Errorf("%s: edge %d is shipped by %v and its hash is a %T", o.ID, e, in.Ship, p.Factories[i].Hash[e])
			}
		}
	}
}

func TestAJobIsTheSameHoweverOftenItIsAsked(t *testing.T) {
	j := blink.NewJob("ways", nil)
	everyWay(j)
	first := need(j.Program())(t)
	plan := need(j.Plan())(t)
	if again := need(j.Program())(t); !reflect.DeepEqual(again.Job, first.Job) {
		t.Errorf("the second time it is\n%+v\nand was\n%+v", again.Job, first.Job)
	}
	if again := need(j.Plan())(t); again != plan {
		t.Errorf("the second plan is\n%s\nand was\n%s", again, plan)
	}
}

func TestEqualBuildsGiveEqualJobs(t *testing.T) {
	p := blink.Define("ways", everyWay)
	if a, b := need(p.Describe(nil))(t), need(p.Describe(nil))(t); !reflect.DeepEqual(a.Job, b.Job) {
		t.Errorf("%+v\n%+v", a.Job, b.Job)
	}
}

func TestAProgramWithoutAFunctionIsRefused(t *testing.T) {
	_, err := blink.Define("x", nil).Describe(nil)
	if want := `program "x" has no function that builds its job: give Define one`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
