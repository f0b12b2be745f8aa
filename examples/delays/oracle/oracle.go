package oracle

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// File is one input, plain or gzip.
type File struct {
	Name string
	Data io.Reader
}

// Result holds the rows of each output file without its header line, in ascending order.
type Result struct {
	Windows []string
	Rain    []string
	Bad     []string
	// Flights is the number of good flight rows.
	Flights int
	// Disorder is how far, at most, a flight's event time lies behind the highest one before
	// it. With this much out-of-orderness no flight is late.
	Disorder time.Duration
}

// Compute reads the flights and the weather and returns what the job must write.
func Compute(flights, weather File) (Result, error) {
	sums := newSums()
	if err := sums.readWeather(weather); err != nil {
		return Result{}, err
	}
	if err := sums.readFlights(flights); err != nil {
		return Result{}, err
	}
	return sums.result(), nil
}

type place struct {
	origin string
	at     int64 // Unix seconds: start of a window, a day, or an hour
}

type window struct {
	departed, cancelled int
	sum, max            int64
}

type day struct {
	rain, dry, unmatched int
	rainDelay, dryDelay  int64
}

type sums struct {
	wet      map[place]bool
	windows  map[place]*window
	days     map[place]*day
	bad      []string
	flights  int
	latest   time.Time
	disorder time.Duration
}

func newSums() *sums {
	return &sums{wet: map[place]bool{}, windows: map[place]*window{}, days: map[place]*day{}}
}

func (s *sums) readWeather(f File) error {
	return readRows(f, []string{"origin", "time_hour", "precip"}, func(r row) {
		w, err := parseWeather(r)
		if err != nil {
			s.reject(f, r, err)
			return
		}
		if _, twice := s.wet[w.key]; twice {
			s.reject(f, r, fmt.Errorf("a second row for %s at %s: the first one counts", w.key.origin, stamp(w.key.at)))
			return
		}
		s.wet[w.key] = w.rain
	})
}

func (s *sums) readFlights(f File) error {
	return readRows(f, []string{"origin", "time_hour", "minute", "dep_time", "dep_delay"}, func(r row) {
		fl, err := parseFlight(r)
		if err != nil {
			s.reject(f, r, err)
			return
		}
		s.flights++
		s.noteOrder(fl.at)
		s.addToWindows(fl)
		if !fl.cancelled {
			s.addToDay(fl)
		}
	})
}

func (s *sums) reject(f File, r row, reason error) {
	s.bad = append(s.bad, line(f.Name, strconv.Itoa(r.number), reason.Error(), r.text))
}

func (s *sums) noteOrder(at time.Time) {
	if at.After(s.latest) || s.latest.IsZero() {
		s.latest = at
	}
	s.disorder = max(s.disorder, s.latest.Sub(at))
}

const (
	span  = 60 * 60
	slide = 15 * 60
)

// addToWindows counts the flight in each of the four windows that hold its event time.
func (s *sums) addToWindows(f flight) {
	for start := floor(f.at.Unix(), slide); start > f.at.Unix()-span; start -= slide {
		w := s.windows[place{f.origin, start}]
		if w == nil {
			w = &window{}
			s.windows[place{f.origin, start}] = w
		}
		if f.cancelled {
			w.cancelled++
			continue
		}
		if w.departed == 0 || f.delay > w.max {
			w.max = f.delay
		}
		w.departed++
		w.sum += f.delay
	}
}

func (s *sums) addToDay(f flight) {
	key := place{f.origin, floor(f.at.Unix(), 24*60*60)}
	d := s.days[key]
	if d == nil {
		d = &day{}
		s.days[key] = d
	}
	rain, known := s.wet[place{f.origin, f.hour.Unix()}]
	switch {
	case !known:
		d.unmatched++
	case rain:
		d.rain++
		d.rainDelay += f.delay
	default:
		d.dry++
		d.dryDelay += f.delay
	}
}

func (s *sums) result() Result {
	r := Result{Bad: s.bad, Flights: s.flights, Disorder: s.disorder}
	for _, k := range sorted(s.windows) {
		r.Windows = append(r.Windows, s.windows[k].row(k))
	}
	for _, k := range sorted(s.days) {
		d := s.days[k]
		r.Rain = append(r.Rain, fmt.Sprintf("%s,%s,%d,%d,%d,%d,%d", stamp(k.at)[:len("2006-01-02")], line(k.origin),
			d.rain, d.rainDelay, d.dry, d.dryDelay, d.unmatched))
	}
	slices.Sort(r.Windows)
	slices.Sort(r.Rain)
	slices.Sort(r.Bad)
	return r
}

func (w *window) row(k place) string {
	most := ""
	if w.departed > 0 {
		most = strconv.FormatInt(w.max, 10)
	}
	return fmt.Sprintf("%s,%s,%s,%d,%d,%d,%s", stamp(k.at), stamp(k.at+span), line(k.origin), w.departed, w.cancelled, w.sum, most)
}

func sorted[V any](m map[place]V) []place {
	return slices.SortedFunc(maps.Keys(m), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.origin, b.origin))
	})
}

// floor is the greatest multiple of step that is not above n.
func floor(n, step int64) int64 {
	rest := n % step
	if rest < 0 {
		rest += step
	}
	return n - rest
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// line is one CSV line without its end.
func line(cells ...string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(cells) // a strings.Builder takes everything
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}
