package exchange

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"blink/actors"
)

// The other process is this test, run again: it listens as "child", says where, and sends back
// each frame.
const childOf = "BLINK_TEST_EXCHANGE_PARENT"

func TestMain(m *testing.M) {
	if parent := os.Getenv(childOf); parent != "" {
		child(parent)
		return
	}
	os.Exit(m.Run())
}

func child(parent string) {
	var c *Conns
	ready := make(chan struct{})
	c, err := Listen("127.0.0.1:0", ConnOptions{
		Node: "child", Find: func(context.Context, string) (string, error) { return parent, nil },
		Deliver: func(_ actors.Ref, m any) {
			<-ready
			f := m.(Frame)
			go func() {
				c.Send(actors.Ref{Node: f.From, ID: "echoed"}, f.Data)
				c.Flush()
			}()
		},
		Lost: func(string) { os.Exit(0) },
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(c.Addr())
	close(ready)
	select {} // until the parent ends it, or is lost
}

// startChild runs the other process.
func startChild(t testing.TB, w *town, parent *house) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOf+"="+parent.Addr().String())
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(address, err)
	}
	w.move("child", strings.TrimSpace(address))
	return cmd
}

func TestTwoProcessesExchangeFrames(t *testing.T) {
	w := newTown(t)
	p := w.house("parent")
	cmd := startChild(t, w, p)
	var want []string
	for i := range 100 {
		text := strings.Repeat(fmt.Sprint(i, "."), 1000)
		p.tell("child", "echo", text)
		p.until("the echo", func() bool { return len(p.got["echoed"]) == i+1 })
		want = append(want, text)
	}
	p.hears("echoed", want...)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.until("the parent loses the child", func() bool { return len(p.lost) == 1 })
}
