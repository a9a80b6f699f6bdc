package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/captured"
	"github.com/odxray/odxray/replay/server"
)

// serveFlags are what the lab server is told.
type serveFlags struct {
	dir, listen, share, pcap, metrics string
	memory, guest, sign, encrypt      bool
	overwrite, trace                  bool
	users                             []string
	size, tokenMax, writeMax          memory
	ttl                               time.Duration
	profile                           string
	connections                       int
	faults                            []string
	seed                              uint64
	from                              fromFlags
	shareGiven                        bool
}

func serveCommand(a *app) *cobra.Command {
	f := serveFlags{size: 1 << 30, tokenMax: 256 << 20, writeMax: 16 << 20, profile: server.Profiles[0]}
	cmd := &cobra.Command{
		Use:   "serve {--dir DIR | --memory | --from FILE}",
		Short: "A lab server with offloaded data transfer: SMB 2.0.2 to 3.1.1 on your own machine",
		Long: `odxray serve is an SMB server for tests and demonstrations: it has offloaded data transfer
(ODX), copychunk and duplicate extents, and records what it sees as a capture. It listens
on the loopback address unless told otherwise. It is no production file server: everybody
who can log on may do everything, and nothing is kept over a restart but the files.

With --from it is the server of a capture: requests that mean the same as captured ones get
the captured answers, with the ids of now. In the end it prints what was asked and what was
not. Without --user, the users of the capture log on with the one password that it was
opened with: --password or $ODXRAY_PASSWORD.

The password of --user NAME is taken from $ODXRAY_PASSWORD; others can see one on the
command line in the list of processes.`,
		Example: "  odxray serve --memory --user lab:secret --pcap copy.pcapng\n  smbclient //127.0.0.1/share -p 4455 -U lab%secret -c 'put big; scopy big copy; ls'",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.shareGiven = cmd.Flags().Changed("share")
			return a.serve(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", "serve the files in `DIR`; nothing outside of it is reached")
	flags.BoolVar(&f.memory, "memory", false, "serve files that are kept in memory, none at first")
	flags.Var(&f.size, "memory-size", "how much --memory holds; holes of files take none")
	f.from.flags(cmd)
	flags.StringVar(&f.listen, "listen", "127.0.0.1:4455", "listen on `ADDRESS`")
	flags.StringVar(&f.share, "share", "share", "`NAME` of the share")
	flags.StringArrayVar(&f.users, "user", nil, "let `NAME:PASSWORD` log on; may be given more than once")
	flags.BoolVar(&f.guest, "guest", false, "let everybody else in as guest, neither signed nor encrypted")
	flags.BoolVar(&f.sign, "require-signing", false, "take signed messages only")
	flags.BoolVar(&f.encrypt, "require-encryption", false, "take encrypted messages only")
	flags.Var(&f.tokenMax, "odx-token-max", "bytes that one token stands for at most")
	flags.Var(&f.writeMax, "odx-write-max", "bytes that one offload write writes at most")
	flags.DurationVar(&f.ttl, "odx-ttl", 2*time.Minute, "how long a token lasts after its last use, if the client does not say")
	flags.Var(choiceValue{&f.profile, server.Profiles}, "odx-profile", "how tokens behave: "+strings.Join(server.Profiles, ", "))
	complete(cmd, "odx-profile", server.Profiles)
	flags.StringArrayVar(&f.faults, "fault", nil, "go wrong on purpose as `RULE` says, as in offload-write:status=STATUS_DISK_FULL; help lists what can; may be repeated")
	flags.Uint64Var(&f.seed, "fault-seed", 1, "what rules with chance= draw their numbers from")
	flags.StringVar(&f.pcap, "pcap", "", "write what is said to the capture `FILE`")
	overwriteFlag(flags, &f.overwrite)
	flags.StringVar(&f.metrics, "metrics", "", "write counters to `FILE` every second, in the form of Prometheus")
	flags.IntVar(&f.connections, "max-connections", 1024, "how many connections there may be at once")
	flags.BoolVar(&f.trace, "log-requests", false, "log every request, not only those that fail")
	return cmd
}

// serve serves until it is interrupted.
func (a *app) serve(ctx context.Context, f *serveFlags) (err error) {
	if slices.Contains(f.faults, "help") {
		_, err := io.WriteString(a.out, server.FaultHelp())
		return err
	}
	from := len(f.from.files) > 0
	switch {
	case f.dir != "" && f.memory, f.dir == "" && !f.memory && !from:
		return usagef("say what to serve: --dir DIR, --memory or --from FILE")
	case from && (f.dir != "" || f.memory) && f.from.unmatched != string(captured.Lab):
		return usagef("--from serves what the capture holds: --dir and --memory go with it only if --unmatched is lab")
	}
	log := &logger{w: a.stderr}
	cfg := server.Config{
		Share: f.share, Guest: f.guest, RequireSigning: f.sign, Encrypt: f.encrypt, Trace: f.trace, Log: log.printf,
		ODX:    server.ODX{Profile: server.Profile(f.profile), TokenMax: uint64(f.tokenMax), WriteMax: uint64(f.writeMax), TTL: f.ttl},
		Limits: server.Limits{Connections: f.connections},
	}
	if f.guest && (f.sign || f.encrypt) {
		return usagef("guests have no keys: --guest goes with neither --require-signing nor --require-encryption")
	}
	for _, rule := range f.faults {
		fault, err := server.ParseFault(rule)
		if err != nil {
			return usagef("--fault: %w", err)
		}
		if from && fault.Own() && f.from.unmatched != string(captured.Lab) {
			return usagef("--fault: %q is about tokens, oplocks and leases of the lab server's own files, of which --from has none unless --unmatched is lab", rule)
		}
		cfg.Faults = append(cfg.Faults, fault)
	}
	cfg.FaultSeed = f.seed
	cfg.Users = map[string][16]byte{}
	var recorded []string
	var script *captured.Server
	if from {
		r, c, err := a.recording(ctx, &f.from)
		if err != nil {
			return err
		}
		defer c.Close()
		script, recorded = f.script(r, &cfg), f.capturedUsers(r, &cfg)
	}
	who, err := f.logons(&cfg, recorded)
	if err != nil {
		return err
	}
	if f.pcap != "" {
		if err := mayWrite(f.pcap, f.overwrite, f.from.files...); err != nil {
			return err
		}
		out, err := os.Create(f.pcap)
		if err != nil {
			return &exitError{exitUnreadable, err}
		}
		defer func() { err = errors.Join(err, out.Close()) }()
		cfg.Pcap = out
	}
	if f.dir == "" {
		cfg.Store = server.NewMemory(int64(f.size))
	} else if cfg.Store, err = server.OpenDir(f.dir); err != nil {
		return &exitError{exitUnreadable, err}
	}
	defer cfg.Store.Close()
	s, err := server.New(cfg)
	if err != nil {
		return usagef("%w", err)
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return &exitError{exitUnreadable, err}
	}
	fmt.Fprintf(a.stderr, "odxray serve: %s. \\\\%s\\%s on %s, %s.\n", f.banner(), host(l), report.Escape(cfg.Share), l.Addr(), who)
	if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		fmt.Fprintln(a.stderr, "odxray serve: it can be reached from other machines.")
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { l.Close() })
	if f.metrics != "" {
		go f.writeMetrics(ctx, s, log)
	}
	err = s.Serve(l)
	if ctx.Err() != nil {
		err = nil
	}
	err = errors.Join(err, s.Close())
	if f.metrics != "" {
		err = errors.Join(err, f.metricsOnce(s))
	}
	fmt.Fprintf(a.stderr, "odxray serve: %s.\n", s.Summary(report.Size))
	for _, h := range s.FaultHits() {
		fmt.Fprintf(a.stderr, "odxray serve: fault %s: %d of %d requests.\n", report.Escape(h.Rule), h.Hits, h.Seen)
	}
	if script != nil {
		err = errors.Join(err, script.Report(a.out, report.Escape))
	}
	return err
}

func host(l net.Listener) string {
	h, _, _ := net.SplitHostPort(l.Addr().String())
	return h
}

// logons fills in who may log on beside names, who may already, and says so.
func (f *serveFlags) logons(cfg *server.Config, names []string) (string, error) {
	for _, u := range f.users {
		name, password, ok := strings.Cut(u, ":")
		if !ok {
			if password, ok = os.LookupEnv("ODXRAY_PASSWORD"); !ok {
				return "", usagef("--user %s: no password: write NAME:PASSWORD, or set $ODXRAY_PASSWORD", name)
			}
		}
		if name == "" {
			return "", usagef("--user: a name is missing before the colon")
		}
		cfg.Users[strings.ToLower(name)] = seal.NTHash(password)
		names = append(names, name)
	}
	switch {
	case len(names) > 0 && cfg.Guest:
		return "user " + strings.Join(names, ", ") + ", and guests", nil
	case len(names) > 0:
		return "user " + strings.Join(names, ", "), nil
	case cfg.Guest:
		return "guests only", nil
	}
	password := rand.Text()[:12]
	cfg.Users["odxray"] = seal.NTHash(password)
	return "user odxray with password " + password, nil
}

// writeMetrics writes the counters until ctx ends.
func (f *serveFlags) writeMetrics(ctx context.Context, s *server.Server, log *logger) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if err := f.metricsOnce(s); err != nil {
				log.printf("%v", err)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// metricsOnce writes them to a new file that then takes the old one's place, so that
// nobody reads half of it.
func (f *serveFlags) metricsOnce(s *server.Server) error {
	out, err := os.Create(f.metrics + ".new")
	if err != nil {
		return err
	}
	if err := errors.Join(s.Metrics(out), out.Close()); err != nil {
		return err
	}
	return os.Rename(f.metrics+".new", f.metrics)
}

// logger writes lines with the time before them. What clients say is escaped.
type logger struct {
	mu sync.Mutex
	w  interface{ Write([]byte) (int, error) }
}

func (l *logger) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "%s %s\n", time.Now().Format("15:04:05.000"), report.Escape(fmt.Sprintf(format, args...)))
}
