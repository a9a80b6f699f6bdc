//go:build unix

// Screen measures what somebody who opens a capture waits for: the first rows on the
// screen, and the answers to keys, while the file loads and after. It runs odxray in a
// terminal of its own and prints a table:
//
//	go build -o bench/data/odxray ./cmd/odxray
//	go run ./bench/screen -odxray bench/data/odxray FILE...
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/creack/pty"
)

const patience = 10 * time.Second // no answer takes longer

func main() {
	odxray := flag.String("odxray", "odxray", "the `PROGRAM`")
	rounds := flag.Int("rounds", 9, "`N` times that each file is opened")
	flag.Parse()
	fmt.Println("| capture | first rows, median | worst | keys while it loads | median | 99 of 100 | worst | keys after | median | 99 of 100 | worst |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, file := range flag.Args() {
		if err := measure(*odxray, file, *rounds); err != nil {
			fmt.Fprintf(os.Stderr, "screen: %s: %v\n", file, err)
			os.Exit(1)
		}
	}
}

func measure(odxray, file string, rounds int) error {
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := exec.Command("cat", file).Run(); err != nil { // into the page cache
		return err
	}
	var rows, loading, after []time.Duration
	for range rounds {
		s, err := open(odxray, file)
		if err != nil {
			return err
		}
		rows = append(rows, s.rows)
		err = s.use(&loading, &after)
		if err := errors.Join(err, s.close()); err != nil {
			return err
		}
	}
	slices.Sort(rows)
	fmt.Printf("| %s, %.1f GB | %s | %s |%s%s\n", filepath.Base(file), float64(st.Size())/1e9, ms(rows[len(rows)/2]), ms(rows[len(rows)-1]), answers(loading), answers(after))
	return nil
}

// answers are the cells for the times that keys took: there are none if the first rows
// came with all of the file.
func answers(took []time.Duration) string {
	n := len(took)
	if n == 0 {
		return " 0 | | | |"
	}
	slices.Sort(took)
	return fmt.Sprintf(" %d | %s | %s | %s |", n, ms(took[n/2]), ms(took[n*99/100]), ms(took[n-1]))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", d.Seconds()*1000) }

// screen is odxray in a terminal.
type screen struct {
	tty    *os.File
	cmd    *exec.Cmd
	out    chan []byte
	unread []byte
	whole  bool          // the file is loaded
	rows   time.Duration // from the start to the first rows
}

// open starts odxray, and waits for the first rows.
func open(odxray, file string) (*screen, error) {
	home, err := os.MkdirTemp("", "odxray-screen")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	s := &screen{cmd: exec.Command(odxray, file), out: make(chan []byte, 1024)}
	s.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "XDG_STATE_HOME="+home, "XDG_CONFIG_HOME="+home)
	start := time.Now()
	if s.tty, err = pty.StartWithSize(s.cmd, &pty.Winsize{Rows: 45, Cols: 140}); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.out)
		for {
			b := make([]byte, 16<<10)
			n, err := s.tty.Read(b)
			if n > 0 {
				s.out <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	if err := s.sees("▸"); err != nil { // the row that is selected
		return nil, errors.Join(err, s.close())
	}
	s.rows = time.Since(start)
	return s, nil
}

// sees waits until what was written since the last time holds text.
func (s *screen) sees(text string) error {
	deadline := time.After(patience)
	for {
		if i := bytes.Index(s.unread, []byte(text)); i >= 0 {
			s.unread = s.unread[:0]
			return nil
		}
		select {
		case b, ok := <-s.out:
			if s.see(b); !ok {
				return fmt.Errorf("it ended before %q", text)
			}
		case <-deadline:
			return fmt.Errorf("%q did not come", text)
		}
	}
}

// moves are keys, and what comes on the screen by each alone: only what changes is
// written, so these words share no letter in its place with what they replace.
var moves = []struct{ key, brings string }{{"3", "Packets"}, {"G", "%)"}, {"g", "(0%)"}, {"5", "Sessions"}}

// use presses keys while the file loads, and some after.
func (s *screen) use(loading, after *[]time.Duration) error {
	for rest := 40; rest > 0; {
		for _, m := range moves {
			whole := s.whole
			start := time.Now()
			if _, err := s.tty.WriteString(m.key); err != nil {
				return err
			}
			if err := s.sees(m.brings); err != nil {
				return err
			}
			took := time.Since(start)
			if whole {
				*after = append(*after, took)
				rest--
			} else {
				*loading = append(*loading, took)
			}
			s.rest(20 * time.Millisecond) // as a quick hand does
		}
	}
	return nil
}

// rest lets time go by, and what was written meanwhile.
func (s *screen) rest(d time.Duration) {
	for end := time.After(d); ; {
		select {
		case b := <-s.out:
			s.see(b)
			s.unread = s.unread[:0]
		case <-end:
			return
		}
	}
}

// see takes what was written.
func (s *screen) see(b []byte) {
	s.unread = append(s.unread, b...)
	s.whole = s.whole || bytes.Contains(s.unread, []byte("✓"))
}

func (s *screen) close() error {
	_ = s.cmd.Process.Kill()
	err := s.tty.Close()
	_ = s.cmd.Wait() // it was killed
	return err
}
