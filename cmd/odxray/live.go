package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/bpf"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
	"github.com/odxray/odxray/flows/report"
)

// liveOptions are the flags of live.
type liveOptions struct {
	in     input
	open   captures.LiveOptions
	list   bool
	ring   []string
	stop   []string
	buffer memory
	spool  memory
	print  string
	failOn string
	format *report.Format

	filtered bool // -f was given

	trigger string
	around  time.Duration
	kept    func(*flows.Finding) bool // what trigger says

	overwrite bool
}

func liveCommand(a *app) *cobra.Command {
	var o liveOptions
	cmd := &cobra.Command{
		Use:   "live -i IFACE | -r - | --rdma DEVICE",
		Short: "Captures, and shows copies as they happen",
		Long: `live captures from network interfaces and shows copies and findings as they happen: in
the terminal UI, or as lines where output is no terminal. It needs CAP_NET_RAW, and drops
all privileges once it has opened what it captures from.`,
		Example: `  odxray live -i eth0
  odxray live -i any -T json | jq .copy
  odxray live -i eth0 -w trace.pcapng -b filesize:100000 -b files:10
  ssh server tcpdump -U -w - port 445 | odxray live -r -
  odxray live -D`,
		Args: args(cobra.NoArgs),
	}
	f := cmd.Flags()
	f.BoolVarP(&o.list, "list-interfaces", "D", false, "list what can be captured from, and why the rest cannot")
	f.StringArrayVarP(&o.open.Interfaces, "interface", "i", nil, "capture from the network `IFACE`; may be repeated; any is all of them")
	f.StringVar(&o.open.Device, "rdma", "", "capture what an RDMA `DEVICE` sends and receives past the kernel")
	f.StringVarP(&o.open.Filter, "capture-filter", "f", bpf.Default, "capture only what this `EXPR` of pcap-filter is true for")
	cmd.Flags().Lookup("capture-filter").DefValue = "SMB over TCP and RDMA" // the text is in docs/live.md
	f.IntVarP(&o.open.Snaplen, "snapshot-length", "s", 0, "keep `N` bytes of a packet; 0 keeps all")
	f.BoolVar(&o.open.Promiscuous, "promiscuous", false, "capture frames that are meant for others, too")
	f.VarP(&o.buffer, "buffer-size", "B", "what the kernel may hold until it is looked at: `SIZE`, 32M if not given")
	f.Var(&o.spool, "spool", "what is kept to be looked at where no file is written: `SIZE`, 1G if not given")
	f.StringVarP(&o.open.Write.Path, "write", "w", "", "write what is captured to this `FILE`, as pcapng; - is standard output")
	overwriteFlag(f, &o.overwrite)
	f.StringVar(&o.trigger, "trigger", "", "write only what lies around findings that this `EXPR` is true for, such as 'level == \"error\"'")
	f.DurationVar(&o.around, "around", 10*time.Second, "with --trigger: `TIME` before and after that is written, too")
	f.StringArrayVarP(&o.ring, "ring-buffer", "b", nil, "begin a new file after `WHAT`: duration:S, filesize:KB, packets:N; files:N keeps so many")
	f.StringArrayVarP(&o.stop, "autostop", "a", nil, "stop after `WHAT`: duration:S, filesize:KB, files:N, packets:N")
	f.IntVarP(&o.open.Stop.Packets, "count", "c", 0, "stop after `N` packets")
	prints := choiceValue{&o.print, []string{"events", "frames", "exchanges", "summary"}}
	o.print = "events"
	f.Var(prints, "print", "without the UI, print: "+prints.list())
	complete(cmd, "print", prints.of)
	failOn := choiceValue{&o.failOn, []string{"error", "warning", "note", "never"}}
	o.failOn = "never"
	f.Var(failOn, "fail-on", "level from which a finding makes the exit status 1: "+failOn.list())
	complete(cmd, "fail-on", failOn.of)
	o.in.flagsOfFiles(cmd)
	f.Lookup("read").Usage = "read the packets of this `FILE` as they come; - is standard input"
	o.format = formatFlag(cmd, report.Text, report.JSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.list {
			return report.Interfaces(a.out, captures.Interfaces(), *o.format, a.style())
		}
		return a.live(cmd, &o)
	}
	return cmd
}

// live captures until it is told to stop.
func (a *app) live(cmd *cobra.Command, o *liveOptions) error {
	o.filtered = cmd.Flags().Changed("capture-filter")
	if err := o.check(); err != nil {
		return err
	}
	var err error
	if o.in.Keys, err = o.in.keys.keys(); err != nil {
		return err
	}
	shown := a.interactive && !a.plain && !cmd.Flags().Changed("print") && !cmd.Flags().Changed("format")
	o.in.Judge, o.in.Index = audit.Judge, shown
	if o.in.memory == 0 {
		o.in.memory = defaultMemory
	}
	o.in.MaxMemory, o.in.Forget = o.in.memory.apply(), keepOver
	o.open.Random = shown
	o.open.Buffer, o.open.Spool = int(o.buffer), int64(o.spool)
	o.open.Write.Application = version()
	if o.open.Write.Path == "-" {
		o.open.Write.Out = a.out
	}
	// SIGTERM ends a capture as Ctrl-C does: with everything written. A second signal that
	// comes with the first, as timeout(1) sends it, does not spoil that.
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(endsWithin, stop) })

	if len(o.in.files) > 0 {
		r, err := stream(o.in.files, ctx.Done())
		if err != nil {
			return &exitError{exitUnreadable, err}
		}
		o.open.Stream = r
	}
	l, err := captures.OpenLive(o.open)
	if err != nil {
		var bad *bpf.Error
		if errors.As(err, &bad) {
			return &exitError{exitUsage, err}
		}
		return &exitError{exitUnreadable, err}
	}
	defer l.Close()
	if err := captures.DropPrivileges(l.Directory()); err != nil {
		return &exitError{exitInternal, err}
	}
	c := flows.New(l, o.in.Options)
	a.capture, a.tap = c, l
	if shown {
		return a.watch(ctx, o, l, c)
	}
	return a.lines(ctx, o, l, c)
}

// watch shows a capture in the terminal UI.
func (a *app) watch(ctx context.Context, o *liveOptions, l *captures.Live, c *flows.Capture) error {
	if l.Keeps() { // what is found is written beside the packets
		printer := report.NewLive(io.Discard, report.Text, report.Style{})
		tick, done := time.NewTicker(newsEvery), make(chan struct{})
		defer close(done)
		go func() {
			defer tick.Stop()
			for {
				select {
				case <-done:
					return
				case now := <-tick.C:
					_, _ = a.comment(printer, o, l, c, now) // it prints to nowhere
				}
			}
		}()
	}
	err := a.show(ctx, c, []string{l.Info().Name})
	if e := l.Close(); err == nil {
		err = e
	}
	return err
}

// comment has new findings written to the file, or what lies around them. It returns them.
func (a *app) comment(printer *report.Live, o *liveOptions, l *captures.Live, c *flows.Capture, now time.Time) ([]flows.Finding, error) {
	r := c.Results()
	fresh, err := printer.News(r, now)
	for i := range fresh {
		f := &fresh[i]
		text := f.Level.String() + " " + report.FindingLine(f)
		if o.kept == nil {
			l.Comment(text)
			continue
		}
		if !o.kept(f) {
			continue
		}
		from, frame := r.Last, 0
		for j := range r.Copies {
			if r.Copies[j].ID == f.Copy {
				from = r.Copies[j].FirstTime
			}
		}
		if len(f.Frames) > 0 {
			frame = f.Frames[0]
		}
		l.Trigger(from-int64(o.around), r.Last+int64(o.around), frame, text)
	}
	return fresh, err
}

// speed makes the status of the terminal UI, anew once a second.
type speed struct {
	l       *captures.Live
	at      time.Time
	packets uint64
	text    string
	lost    bool
}

func (s *speed) status() string {
	now := time.Now()
	if s.text != "" && now.Sub(s.at) < time.Second {
		return s.text
	}
	packets, _ := s.l.Traffic()
	rate := 0.0
	if !s.at.IsZero() {
		rate = float64(packets-s.packets) / now.Sub(s.at).Seconds()
	}
	s.at, s.packets = now, packets
	counts := s.l.Counts()
	s.text, s.lost = report.LiveStatus(rate, counts.Dropped, counts.Known, counts.Held), counts.Dropped > 0
	return s.text
}

// stream opens what grows: a file, or standard input.
func stream(paths []string, stop <-chan struct{}) (captures.Source, error) {
	if len(paths) == 1 && paths[0] != "-" {
		return captures.Follow(paths[0], stop)
	}
	return captures.OpenFiles(paths, captures.Options{})
}

// followed is read for a file that grows.
func (a *app) followed(cmd *cobra.Command, in *input, paths []string, use func(context.Context, *flows.Capture, []string) error) error {
	if len(paths) > 1 {
		return usagef("--follow follows one file, and those that take its place")
	}
	r, err := stream(paths, cmd.Context().Done())
	if err != nil {
		return &exitError{exitUnreadable, err}
	}
	l, err := captures.OpenLive(captures.LiveOptions{Stream: r, Random: in.Index})
	if err != nil {
		return &exitError{exitUnreadable, err}
	}
	a.tap = l
	return a.use(cmd, in, flows.New(l, in.Options), paths, use)
}

// check makes options of flags.
func (o *liveOptions) check() error {
	from := 0
	for _, given := range []bool{len(o.open.Interfaces) > 0, len(o.in.files) > 0, o.open.Device != ""} {
		if given {
			from++
		}
	}
	switch {
	case from == 0:
		return usagef("live needs something to capture from: -i IFACE, --rdma DEVICE or -r -; -D lists what there is")
	case from > 1:
		return usagef("live captures from one of -i, --rdma and -r at a time")
	case len(o.in.files) > 0 && o.filtered:
		return usagef("-f is for what the kernel captures: with -r, choose with -Y FILTER")
	case o.open.Snaplen < 0:
		return usagef("-s %d: a packet cannot have fewer than no bytes", o.open.Snaplen)
	case o.open.Stop.Packets < 0:
		return usagef("-c %d: a capture cannot have fewer than no packets", o.open.Stop.Packets)
	}
	if len(o.ring) == 0 { // else the names of files have the time in them
		if err := mayWrite(o.open.Write.Path, o.overwrite, o.in.files...); err != nil {
			return err
		}
	}
	if o.trigger != "" {
		if o.open.Write.Path == "" {
			return usagef("--trigger needs a file for what it keeps: -w FILE")
		}
		var err error
		if o.kept, err = report.ParseTrigger(o.trigger); err != nil {
			return usagef("--trigger %q: %w", o.trigger, err)
		}
		o.open.Triggered = true
	}
	r, s := &o.open.Write.Rotate, &o.open.Stop
	if err := conditions("-b", o.ring, map[string]func(int64){
		"duration": func(n int64) { r.Duration = time.Duration(n) * time.Second },
		"filesize": func(n int64) { r.Bytes = n * 1000 },
		"packets":  func(n int64) { r.Packets = int(n) },
		"files":    func(n int64) { r.Files = int(n) },
	}); err != nil {
		return err
	}
	if err := conditions("-a", o.stop, map[string]func(int64){
		"duration": func(n int64) { s.Duration = time.Duration(n) * time.Second },
		"filesize": func(n int64) { s.Bytes = n * 1000 },
		"packets":  func(n int64) { s.Packets = int(n) },
		"files":    func(n int64) { s.Files = int(n) },
	}); err != nil {
		return err
	}
	switch w := o.open.Write.Path; {
	case len(o.ring) > 0 && (w == "" || w == "-"):
		return usagef("-b needs a file to begin others after: -w FILE")
	case r.Files > 0 && r.Bytes == 0 && r.Packets == 0 && r.Duration == 0:
		return usagef("-b files:%d needs to know when a file is full: -b filesize:KB, duration:S or packets:N", r.Files)
	case s.Bytes > 0 && w == "":
		return usagef("-a filesize needs a file: -w FILE")
	case s.Files > 0 && len(o.ring) == 0:
		return usagef("-a files needs -b")
	}
	return nil
}

// conditions reads values of the form WORD:N.
func conditions(flag string, list []string, set map[string]func(int64)) error {
	for _, text := range list {
		name, number, _ := strings.Cut(text, ":")
		use := set[name]
		var n int64
		if _, err := fmt.Sscanf(number+";", "%d;", &n); err != nil || n <= 0 || n > 1<<40 || use == nil {
			return usagef("%s %s: it must be duration:SECONDS, filesize:KB, packets:N or files:N", flag, text)
		}
		use(n)
	}
	return nil
}

// endsWithin is how long a capture may take to end before a signal ends the process.
const endsWithin = 2 * time.Second

// What a capture that may go on for weeks remembers: in memory, and of what is over.
const (
	defaultMemory = 512 << 20
	keepOver      = 1000
)

// newsEvery is how often is looked for what is new.
const newsEvery = 200 * time.Millisecond

// lines prints while it captures.
func (a *app) lines(ctx context.Context, o *liveOptions, l *captures.Live, c *flows.Capture) error {
	var w io.Writer = a.out
	if o.open.Write.Path == "-" {
		w = io.Discard
	}
	printer := report.NewLive(w, *o.format, a.style())
	end := report.LiveEnd{}
	news := func() error {
		fresh, err := a.comment(printer, o, l, c, time.Now())
		for i := range fresh {
			end.Findings[fresh[i].Level]++
		}
		return err
	}
	pass := c.Run
	switch o.print {
	case "frames":
		pass = func(ctx context.Context) error {
			return report.List(ctx, w, c, report.ListOptions{Format: *o.format, Time: report.Absolute})
		}
		news = func() error { return nil }
	case "exchanges":
		pass = func(ctx context.Context) error {
			return report.Exchanges(ctx, w, c, *o.format, a.style())
		}
		news = func() error { return nil }
	case "summary":
		news = func() error { return nil }
	}
	// A signal ends the capture as the end of a file does: what is found is that of the file.
	// It does not go on for as long as packets come, though.
	defer context.AfterFunc(ctx, l.Halt)()
	passing, enough := context.WithCancel(context.WithoutCancel(ctx))
	defer enough()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(endsWithin/2, enough) })()
	done := make(chan error, 1)
	go func() { done <- pass(passing) }()
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	var err error
	for running := true; running; {
		select {
		case err = <-done:
			running = false
		case <-tick.C:
			if e := news(); e != nil {
				return e
			}
		}
	}
	if e := news(); e != nil {
		return e
	}
	r := c.Results()
	end.Packets, end.Bytes = l.Traffic()
	counts := l.Counts()
	end.Dropped, end.Known = counts.Dropped, counts.Known
	if e := l.Close(); e != nil {
		return e
	}
	switch o.print {
	case "summary":
		err = cmp.Or(err, report.Summary(w, []string{l.Info().Name}, r, *o.format, a.style()))
	case "events":
		err = cmp.Or(err, printer.End(end, r))
	}
	a.warn(end.Line())
	if err != nil && !(ctx.Err() != nil && errors.Is(err, context.Canceled)) {
		if err = a.readError(ctx, err); err != nil {
			return err
		}
	}
	if o.failOn != "never" {
		for level := (&auditOptions{failOn: o.failOn}).level(); level <= flows.Error; level++ {
			if end.Findings[level] > 0 {
				return &exitError{code: exitFindings}
			}
		}
	}
	return o.in.outcome(nil, r)
}
