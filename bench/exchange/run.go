package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"time"

	"blink/bench/usage"
	"blink/internal/process"
)

// Options say what Run measures.
type Options struct {
	Case        string
	Records     int64   // at least one for each task
	Parallelism int     // tasks on each side
	Rate        float64 // of Paced: records a second
	Credits     int     // of each channel; 0: the default
	BatchBytes  int     // of each batch, about; 0: the default
	// Processors are those of Go, of each process; 0: one for each task on its side. GOMAXPROCS in the
	// environment stands above it.
	Processors int
	// Profile are files for CPU profiles, of this process with .near behind it and of the other
	// one with .far; "": none.
	Profile string
	// Peer makes the command of the other process, which calls the function Peer with its
	// standard streams.
	Peer func(context.Context) *exec.Cmd
}

// Result is one line of figures. CPU is that of both processes.
type Result struct {
	Case        string  `json:"case"`
	Parallelism int     `json:"parallelism"`
	Records     int64   `json:"records"`
	RecordBytes int     `json:"record_bytes"`
	WireBytes   float64 `json:"wire_bytes_per_record"`
	FrameBytes  int     `json:"frame_bytes"`
	usage.Settings
	CPUSeconds  float64 `json:"cpu_seconds"`
	NearSeconds float64 `json:"sender_cpu_seconds"`
	FarSeconds  float64 `json:"receiver_cpu_seconds"`
	WallSeconds float64 `json:"wall_seconds"`
	// RecordsPerCPU is in millions for a CPU-second.
	RecordsPerCPU float64 `json:"million_records_per_cpu_second"`
	BytesPerCPU   float64 `json:"mb_per_cpu_second"`
	RawPerCPU     float64 `json:"raw_tcp_mb_per_cpu_second"`
	Allocs        float64 `json:"allocs_per_record"`
	// Latencies from the source to the sink, of Paced, in milliseconds.
	LateMedian float64 `json:"latency_median_ms,omitempty"`
	LateP99    float64 `json:"latency_p99_ms,omitempty"`
}

// OfRaw is which share of plain TCP's bytes for a CPU-second the exchange carries.
func (r Result) OfRaw() float64 { return r.BytesPerCPU / r.RawPerCPU }

// warmup is the part of the records that goes first and is not measured: a process pays for each
// page of memory when it touches it first.
const warmup = 10

// Run measures one case.
func Run(ctx context.Context, o Options) (r Result, err error) {
	if !slices.Contains(Cases(), o.Case) {
		return r, fmt.Errorf("exchange: unknown case %q: there are %v", o.Case, Cases())
	}
	if o.Parallelism < 1 || o.Records < int64(o.Parallelism) {
		return r, fmt.Errorf("exchange: %d records in %d tasks: at least one for each", o.Records, o.Parallelism)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := startPeer(o.Peer(ctx))
	if err != nil {
		return r, fmt.Errorf("exchange: %w", err)
	}
	defer func() {
		if err != nil { // the peer may wait for us
			cancel()
		}
		if end := p.end(); err == nil {
			err = end
		}
	}()
	t := trial{
		Case: o.Case, Records: alike(o.Records, o.Parallelism), Parallelism: o.Parallelism, Credits: o.Credits, BatchBytes: o.BatchBytes,
		Processors: cmp.Or(o.Processors, o.Parallelism),
	}
	defer process.Processors(t.Processors)()
	if o.Case == Paced {
		t.Rate = o.Rate
	}
	first := t
	first.Records = alike(max(o.Records/warmup, int64(o.Parallelism)), o.Parallelism)
	if _, err = p.exchange(ctx, first, ""); err != nil {
		return r, fmt.Errorf("exchange: %s: %w", o.Case, err)
	}
	if r, err = p.exchange(ctx, t, o.Profile); err != nil {
		return r, fmt.Errorf("exchange: %s: %w", o.Case, err)
	}
	if r.RawPerCPU, err = p.raw(t, r); err != nil {
		return r, fmt.Errorf("exchange: plain TCP: %w", err)
	}
	return r, nil
}

// alike is the most of so many records that tasks can share alike.
func alike(records int64, tasks int) int64 { return records / int64(tasks) * int64(tasks) }

// peer is the other process.
type peer struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	words   *json.Encoder
	answers *json.Decoder
}

func startPeer(cmd *exec.Cmd) (*peer, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &peer{cmd, in, json.NewEncoder(in), json.NewDecoder(out)}, cmd.Start()
}

func (p *peer) end() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// begin agrees with the peer on a trial; the second word lets it go.
func (p *peer) begin(s setup) (far string, err error) {
	var r ready
	if err := p.words.Encode(s); err != nil {
		return "", err
	}
	err = p.answers.Decode(&r)
	return r.Far, err
}

func (p *peer) exchange(ctx context.Context, t trial, profile string) (r Result, err error) {
	var address string
	n, err := newNode(near, t.program(&tally{}), t.tasks(), func() string { return address })
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	s := setup{Trial: t, Near: n.conns.Addr().String()}
	if profile != "" {
		s.Profile, profile = profile+".far", profile+".near"
	}
	if address, err = p.begin(s); err != nil {
		return r, err
	}
	var used usage.Used
	var d done
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	answered := make(chan struct{})
	err = usage.Profiled(profile, func() error {
		m := usage.Begin()
		if err := p.words.Encode(s); err != nil {
			return err
		}
		go func() { // our tasks wait for those of the peer, which may have failed
			defer close(answered)
			if err := p.result(&d); err != nil {
				giveUp(err)
			}
		}()
		if err := n.deploy(); err != nil {
			return err
		}
		err := n.wait(ctx)
		used = m.End()
		return err
	})
	if err != nil {
		return r, err
	}
	select {
	case <-answered:
	case <-ctx.Done():
	}
	if err := context.Cause(ctx); err != nil {
		return r, err
	}
	if d.Records != t.Records {
		return r, fmt.Errorf("%d records were sent and %d have arrived", t.Records, d.Records)
	}
	return t.result(used, d, n), nil
}

// result is the last word of a trial.
func (p *peer) result(d *done) error {
	if err := p.answers.Decode(d); err != nil {
		return fmt.Errorf("the other process: %w", err)
	}
	if d.Failure != "" {
		return fmt.Errorf("the other process: %s", d.Failure)
	}
	return nil
}

func (t trial) result(used usage.Used, d done, from *node) Result {
	n := float64(t.Records)
	r := Result{
		Case: t.Case, Parallelism: t.Parallelism, Records: t.Records, RecordBytes: sizeOf(t.Case), WireBytes: float64(from.bytes.Load()) / n,
		CPUSeconds: used.CPU + d.Used.CPU, NearSeconds: used.CPU, FarSeconds: d.Used.CPU, WallSeconds: max(used.Wall, d.Used.Wall),
		Settings: usage.SettingsOf(), Allocs: float64(used.Allocs+d.Used.Allocs) / n, FrameBytes: int(from.bytes.Load() / from.frames.Load()),
	}
	r.RecordsPerCPU = n / r.CPUSeconds / 1e6
	r.BytesPerCPU = float64(from.bytes.Load()) / r.CPUSeconds / 1e6
	if len(d.Late) > 0 {
		slices.Sort(d.Late)
		at := func(q float64) float64 {
			return float64(d.Late[int(q*float64(len(d.Late)-1))]) / float64(time.Millisecond)
		}
		r.LateMedian, r.LateP99 = at(0.5), at(0.99)
	}
	return r
}

// raw sends as many bytes over plain TCP, in writes as large as the frames were, and returns
// how many MB a CPU-second carries.
func (p *peer) raw(t trial, r Result) (mbPerCPU float64, err error) {
	s := setup{Trial: t, Raw: r.FrameBytes}
	address, err := p.begin(s)
	if err != nil {
		return 0, err
	}
	m := usage.Begin()
	if err := p.words.Encode(s); err != nil {
		return 0, err
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	buf, total := make([]byte, r.FrameBytes), int64(float64(r.Records)*r.WireBytes)
	for sent := int64(0); sent < total && err == nil; sent += int64(len(buf)) {
		_, err = c.Write(buf)
	}
	if err = errors.Join(err, c.Close()); err != nil {
		return 0, err
	}
	used := m.End()
	var d done
	if err := p.result(&d); err != nil {
		return 0, err
	}
	return float64(d.Bytes) / (used.CPU + d.Used.CPU) / 1e6, nil
}
