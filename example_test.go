package blink_test

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"blink"
	"blink/connector/files"
)

// view is a page that somebody looked at.
type view struct {
	Page, User string
	Seconds    int64
	When       time.Time
}

func (v view) page() string    { return v.Page }
func (v view) user() string    { return v.User }
func (v view) when() time.Time { return v.When }
func (v view) seconds() int64  { return v.Seconds }
func (v view) whole() bool     { return v.Page != "" && v.User != "" }

// parseView reads "page user".
func parseView(l files.Line) (view, error) {
	page, user, ok := strings.Cut(l.Text, " ")
	if !ok {
		return view{}, fmt.Errorf("%s:%d: no user", l.File, l.Number)
	}
	return view{Page: page, User: user}, nil
}

// views is a source for the examples.
func views(job *blink.Job) blink.Stream[view] {
	return job.Read(blink.Values(view{Page: "/", User: "ann", Seconds: 3})).ID("views")
}

// lines are the numbers that an edit of this file would change.
var lines = regexp.MustCompile(`_test\.go:\d+`)

// show prints a plan, or what is wrong with the job.
func show(plan string, err error) {
	if err != nil {
		plan = err.Error()
	}
	fmt.Println(lines.ReplaceAllString(plan, ".go:N"))
}

// A job is described by a function. cluster.Main makes a binary of it, with the verbs run,
// plan and sim.
func Example() {
	hotPages := func(job *blink.Job) {
		in := job.String("in", "access.log", "log to read")
		job.Read(files.Lines(in)).ID("lines").
			Try(parseView).
			EventTime(view.when, blink.BoundedOutOfOrder(5*time.Second)).ID("event-time").
			KeyBy(view.page).
			Window(blink.Sliding(10*time.Minute, time.Minute)).
			Count().ID("hot").
			Write(files.CSV("out/hot.csv")).ID("write-hot")
	}

	program := blink.Define("hot-pages", hotPages)
	built, err := program.Describe(map[string]string{"in": "today.log"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(built.Job.Name, built.Job.Params[0].Value, len(built.Job.Operators))
	// Output: hot-pages today.log 6
}

// Nothing is built while one mistake is left, and each is told with its place.
func ExampleJob_Plan() {
	job := blink.NewJob("views", nil).Parallelism(0)
	views(job).KeyBy(view.page).Window(blink.Tumbling(0)).Count().ID("views")
	show(job.Plan())
	// Output:
	// job "views" cannot be built:
	// example.go:N: window: tumbling window of size 0s: the size must be positive
	// job "views": parallelism 0: at least 1
	// example.go:N: ID "views" is taken by the operator at example.go:N
	// example.go:N: window: the records of the source at example.go:N have no event time: put EventTime between them
	// job "views" writes nothing: end a stream with Write
}

// Forward edges are chained: one task does all this, record by record.
func ExampleStream_Map() {
	job := blink.NewJob("pages", nil)
	views(job).
		Filter(view.whole).
		Map(view.page).
		Write(files.CSV("pages.csv")).ID("write-pages")
	show(job.Plan())
	// Output:
	// job pages: 1 vertex, 1 task, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	//   [filter-1]   filter blink_test.view.whole → blink_test.view (example.go:N)
	//   [map-2]      map blink_test.view.page → string (example.go:N)
	//   [write-pages] write CSV pages.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 1 task of vertex 0
}

// Records that cannot be parsed go to a file of their own.
func ExampleStream_Try() {
	bad := blink.NewTag[blink.Failure[files.Line]]("bad")
	job := blink.NewJob("parse", nil)
	parsed := job.Read(files.Lines("access.log")).ID("lines").Try(parseView, blink.DeadLetter(bad))
	parsed.Write(files.CSV("views.csv")).ID("write-views")
	parsed.Side(bad).Write(files.CSV("bad.csv")).ID("write-bad")
	show(job.Plan())
	// Output:
	// job parse: 1 vertex, 1 task, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [lines]      read lines of access.log → files.Line (example.go:N)
	//       state splits splits files.Split
	//   [try-1]      try blink_test.parseView → blink_test.view (example.go:N)
	//   [write-views] write CSV views.csv (example.go:N)
	//       state transactions transactions files.Written
	//   [write-bad]  write CSV bad.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 1 task of vertex 0
}

func ExampleStream_Union() {
	job := blink.NewJob("both", nil)
	today, yesterday := views(job), job.Read(blink.Values[view]()).ID("yesterday")
	today.Union(yesterday).Filter(view.whole).Write(files.CSV("views.csv")).ID("write-views")
	show(job.Plan())
	// Output:
	// job both: 3 vertices, 3 tasks, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	// vertex 1 ×1
	//   [yesterday]  read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	// vertex 2 ×1 ← 0 forward ← 1 forward
	//   [filter-2]   filter blink_test.view.whole → blink_test.view (example.go:N)
	//   [write-views] write CSV views.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 3 tasks of vertices 0 1 2
}

// One reader feeds four tasks that work.
func ExampleStream_Rebalance() {
	job := blink.NewJob("spread", nil).Parallelism(4)
	views(job).Parallelism(1).Rebalance().Filter(view.whole).Write(files.CSV("views.csv")).ID("write-views")
	show(job.Plan())
	// Output:
	// job spread: 2 vertices, 5 tasks, parallelism 4, 128 key groups
	// vertex 0 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	// vertex 1 ×4 ← 0 rebalance
	//   [filter-1]   filter blink_test.view.whole → blink_test.view (example.go:N)
	//   [write-views] write CSV views.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 5 tasks of vertices 0 1
}

// The filter joins the chain of score, and with it the slot group; the map does neither.
func ExampleStream_Slot() {
	score := func(v *view) { v.Seconds *= 2 }
	job := blink.NewJob("score", nil)
	views(job).
		Update(score).Name("score").Slot("large").
		Filter(view.whole).
		Map(view.page).NewChain().
		Write(files.CSV("scores.csv")).ID("write-scores")
	show(job.Plan())
	// Output:
	// job score: 3 vertices, 3 tasks, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	// vertex 1 ×1 slot large ← 0 forward
	//   [update-1]   "score" update func → blink_test.view (example.go:N)
	//   [filter-2]   filter blink_test.view.whole → blink_test.view (example.go:N)
	// vertex 2 ×1 ← 1 forward
	//   [map-3]      map blink_test.view.page → string (example.go:N)
	//   [write-scores] write CSV scores.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 3 tasks of vertices 0 1 2
}

// The state of a user is kept for a day after the last view.
func ExampleKeyed_Scan() {
	total := func(sum *int64, v view, out *blink.Out[view]) {
		*sum += v.Seconds
		v.Seconds = *sum
		out.Emit(v)
	}
	job := blink.NewJob("totals", nil)
	views(job).KeyBy(view.user).
		Scan(total, blink.TTL(24*time.Hour)).ID("totals").
		Write(files.CSV("totals.csv")).ID("write-totals")
	show(job.Plan())
	// Output:
	// job totals: 2 vertices, 2 tasks, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	// vertex 1 ×1 ← 0 hash(string)
	//   [totals]     scan func → blink_test.view (example.go:N)
	//       state key key string
	//       state scan value int64 ttl 24h0m0s
	//   [write-totals] write CSV totals.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 2 tasks of vertices 0 1
}

// The first view of each user on each page within a day.
func ExampleKeyed_Distinct() {
	type reader struct{ Page, User string }
	job := blink.NewJob("readers", nil)
	views(job).KeyBy(func(v view) reader { return reader{v.Page, v.User} }).
		Distinct(blink.TTL(24 * time.Hour)).ID("readers").
		Write(files.CSV("readers.csv")).ID("write-readers")
	show(job.Plan())
	// Output:
	// job readers: 2 vertices, 2 tasks, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	// vertex 1 ×1 ← 0 hash(blink_test.reader)
	//   [readers]    distinct → blink_test.view (example.go:N)
	//       state key key blink_test.reader
	//       state seen value bool ttl 24h0m0s
	//   [write-readers] write CSV readers.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 2 tasks of vertices 0 1
}

// The longest views of each page so far, each when it enters the ten longest.
func ExampleKeyed_Top() {
	type place struct {
		Page, User string
		Rank       int
	}
	longest := func(a, b int64) int { return cmp.Compare(b, a) }
	job := blink.NewJob("longest", nil)
	views(job).KeyBy(view.page).
		Top(10, view.seconds, longest, func(rank int, v view) place { return place{v.Page, v.User, rank} }).ID("longest").
		Write(files.CSV("longest.csv")).ID("write-longest")
	show(job.Plan())
	// Output:
	// job longest: 2 vertices, 2 tasks, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	// vertex 1 ×1 ← 0 hash(string)
	//   [longest]    top 10 by blink_test.view.seconds → blink_test.place (example.go:N)
	//       state key key string
	//       state top list int64
	//   [write-longest] write CSV longest.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 2 tasks of vertices 0 1
}

// visits joins the views of a user into visits: one ends when gap has passed without a view.
type visits struct {
	gap   time.Duration
	pages blink.List[string]
	end   blink.Timer
}

func (p *visits) Process(c *blink.Ctx[string], v view, _ *blink.Out[string]) error {
	p.pages.Append(v.Page)
	p.end.Set(c.Time().Add(p.gap))
	return nil
}

func (p *visits) OnTimer(c *blink.Ctx[string], _ *blink.Timer, out *blink.Out[string]) error {
	out.Emit(fmt.Sprintf("%s looked at %d pages", c.Key(), p.pages.Len()))
	p.pages.Clear()
	return nil
}

// The fields of a processor are its configuration, its state and its timers.
func ExampleKeyed_Process() {
	job := blink.NewJob("visits", nil)
	views(job).
		EventTime(view.when, blink.Ascending()).ID("event-time").
		KeyBy(view.user).
		Process(&visits{gap: time.Hour}).ID("visits").
		Write(files.CSV("visits.csv")).ID("write-visits")
	show(job.Plan())
	// Output:
	// job visits: 2 vertices, 2 tasks, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	//   [event-time] eventtime out of order by ≤ 0s → blink_test.view (example.go:N)
	// vertex 1 ×1 ← 0 hash(string)
	//   [visits]     process visits → string (example.go:N)
	//       state key key string
	//       state pages list string
	//       state end timer
	//   [write-visits] write CSV visits.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 2 tasks of vertices 0 1
}

type user struct{ User, Name string }

func (u user) user() string { return u.User }

// named puts the names of users on their views.
type named struct{ name blink.Value[string] }

func (p *named) ProcessLeft(_ *blink.Ctx[string], v view, out *blink.Out[string]) error {
	out.Emit(p.name.Get() + " looked at " + v.Page)
	return nil
}

func (p *named) ProcessRight(_ *blink.Ctx[string], u user, _ *blink.Out[string]) error {
	p.name.Set(u.Name)
	return nil
}

// Two streams of one key share the state of a processor.
func ExampleKeyed_Connect() {
	job := blink.NewJob("names", nil)
	users := job.Read(blink.Values(user{"ann", "Ann"})).ID("users")
	views(job).KeyBy(view.user).
		Connect(users.KeyBy(user.user)).
		Process(&named{}).ID("named").
		Write(files.CSV("named.csv")).ID("write-named")
	show(job.Plan())
	// Output:
	// job names: 3 vertices, 3 tasks, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [users]      read values → blink_test.user (example.go:N)
	//       state splits splits operator.valuesSplit
	// vertex 1 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	// vertex 2 ×1 ← 1 hash(string) ← 0 hash(string)
	//   [named]      process named → string (example.go:N)
	//       state key key string
	//       state name value string
	//   [write-named] write CSV named.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 3 tasks of vertices 0 1 2
}

// mean is an accumulator: it is stored, and merged from pieces of a window.
type mean struct{ Sum, N int64 }

func (m *mean) Add(v view)      { m.Sum += v.Seconds; m.N++ }
func (m *mean) Merge(o mean)    { m.Sum += o.Sum; m.N += o.N }
func (m *mean) Result() float64 { return float64(m.Sum) / float64(m.N) }

// A window fires when the watermark passes its end, and again for records that come within
// the allowed lateness; later ones go to a side output.
func ExampleWindowed_Aggregate() {
	late := blink.NewTag[view]("late")
	job := blink.NewJob("means", nil).Parallelism(2)
	means := views(job).
		EventTime(view.when, blink.BoundedOutOfOrder(time.Minute)).ID("event-time").
		KeyBy(view.page).
		Window(blink.Tumbling(time.Hour)).AllowedLateness(time.Hour).LateTo(late).
		Aggregate(&mean{}).ID("means")
	means.Write(files.CSV("means.csv")).ID("write-means")
	means.Side(late).Write(files.CSV("late.csv")).ID("write-late")
	show(job.Plan())
	// Output:
	// job means: 2 vertices, 4 tasks, parallelism 2, 128 key groups
	// vertex 0 ×2
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	//   [event-time] eventtime out of order by ≤ 1m0s → blink_test.view (example.go:N)
	// vertex 1 ×2 ← 0 hash(string)
	//   [means]      window tumbling 1h0m0s blink_test.mean → operator.Pane[string,float64] (example.go:N)
	//       state panes panes operator.some[blink_test.mean]
	//   [write-means] write CSV means.csv (example.go:N)
	//       state transactions transactions files.Written
	//   [write-late] write CSV late.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 4 tasks of vertices 0 1
}

// A visit of a user ends when half an hour has passed without a view. What a batch has of it
// is combined before it is sent to the task of the user.
func ExampleSession() {
	job := blink.NewJob("visits", nil)
	views(job).
		EventTime(view.when, blink.BoundedOutOfOrder(time.Minute)).ID("event-time").
		KeyBy(view.user).
		Window(blink.Session(30 * time.Minute)).
		Count().ID("visits").
		Write(files.CSV("visits.csv")).ID("write-visits")
	show(job.Plan())
	// Output:
	// job visits: 2 vertices, 2 tasks, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	//   [event-time] eventtime out of order by ≤ 1m0s → blink_test.view (example.go:N)
	//   [visits.combine] combine session 30m0s count → operator.partial[string,int64] (example.go:N)
	// vertex 1 ×1 ← 0 hash(string)
	//   [visits]     window session 30m0s count → operator.Pane[string,int64] (example.go:N)
	//       state panes panes int64
	//   [write-visits] write CSV visits.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 2 tasks of vertices 0 1
}

// Who looked at a page within the hour in which they signed up.
func ExampleKeyed_Join() {
	job := blink.NewJob("newcomers", nil)
	users := job.Read(blink.Values(user{"ann", "Ann"})).ID("users").
		EventTime(func(user) time.Time { return time.Unix(0, 0) }, blink.Ascending()).ID("user-time")
	views(job).
		EventTime(view.when, blink.Ascending()).ID("view-time").
		KeyBy(view.user).
		Join(users.KeyBy(user.user)).
		Window(blink.Tumbling(time.Hour)).
		Apply(func(v *view, u *user) string { return u.Name + " looked at " + v.Page }).ID("newcomers").
		Write(files.CSV("newcomers.csv")).ID("write-newcomers")
	show(job.Plan())
	// Output:
	// job newcomers: 3 vertices, 3 tasks, parallelism 1, 128 key groups
	// vertex 0 ×1
	//   [users]      read values → blink_test.user (example.go:N)
	//       state splits splits operator.valuesSplit
	//   [user-time]  eventtime out of order by ≤ 0s → blink_test.user (example.go:N)
	// vertex 1 ×1
	//   [views]      read values → blink_test.view (example.go:N)
	//       state splits splits operator.valuesSplit
	//   [view-time]  eventtime out of order by ≤ 0s → blink_test.view (example.go:N)
	// vertex 2 ×1 ← 1 hash(string) ← 0 hash(string)
	//   [newcomers]  window tumbling 1h0m0s join func → string (example.go:N)
	//       state panes panes operator.sides[blink_test.view,blink_test.user]
	//   [write-newcomers] write CSV newcomers.csv (example.go:N)
	//       state transactions transactions files.Written
	// regions: 1
	//   0: 3 tasks of vertices 0 1 2
}
