package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"blink/bench/usage"
	"blink/internal/process"
)

// What the processes tell each other, as JSON, over the standard streams of the peer.
type (
	// setup is the first word.
	setup struct {
		Trial trial
		Raw   int    // bytes of each write of plain TCP; 0: the exchange is measured
		Near  string // where we listen
		// Profile is the file for the CPU profile of the peer; "": none.
		Profile string
	}
	// ready is the answer: the peer listens there. Then the setup is sent again, which means go.
	ready struct{ Far string }
	// done says what the peer has used.
	done struct {
		Used    usage.Used
		Records int64
		Bytes   int64
		Late    []time.Duration
		Failure string
	}
)

// Peer is the other process: it does what it is told on in, until that ends.
func Peer(in io.Reader, out io.Writer) error {
	words, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var s setup
		if err := words.Decode(&s); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("exchange: the first word: %w", err)
		}
		do := peerOfExchange
		if s.Raw > 0 {
			do = peerOfRaw
		}
		undo := process.Processors(s.Trial.Processors)
		err := do(s, words, answers)
		if undo(); errors.Is(err, errGivenUp) {
			return nil
		} else if err != nil {
			return fmt.Errorf("exchange: %w", err)
		}
	}
}

// errGivenUp is why a trial ends that the other process could not begin, and tells why.
var errGivenUp = errors.New("given up")

// goAhead waits for the second word, which is the first one again.
func goAhead(words *json.Decoder) error {
	var s setup
	err := words.Decode(&s)
	if errors.Is(err, io.EOF) {
		return errGivenUp
	}
	return err
}

func peerOfExchange(s setup, words *json.Decoder, answers *json.Encoder) error {
	seen := &tally{}
	n, err := newNode(far, s.Trial.program(seen), s.Trial.tasks(), func() string { return s.Near })
	if err != nil {
		return err
	}
	if err := answers.Encode(ready{n.conns.Addr().String()}); err != nil {
		return err
	}
	if err := goAhead(words); err != nil {
		return err
	}
	var d done
	err = usage.Profiled(s.Profile, func() (err error) {
		m := usage.Begin()
		if err = n.deploy(); err == nil {
			err = n.wait(context.Background())
		}
		d.Used = m.End()
		return err
	})
	if err = errors.Join(err, n.close()); err != nil {
		d.Failure = err.Error()
	}
	d.Records, d.Late = seen.records, seen.late
	return answers.Encode(d)
}

// peerOfRaw reads from plain TCP until its end.
func peerOfRaw(s setup, words *json.Decoder, answers *json.Encoder) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	if err := answers.Encode(ready{l.Addr().String()}); err != nil {
		return err
	}
	if err := goAhead(words); err != nil {
		return err
	}
	m := usage.Begin()
	c, err := l.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	buf, read := make([]byte, s.Raw), int64(0)
	for err == nil {
		var n int
		n, err = io.ReadFull(c, buf)
		read += int64(n)
	}
	d := done{Used: m.End(), Bytes: read}
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		d.Failure = err.Error()
	}
	return answers.Encode(d)
}
