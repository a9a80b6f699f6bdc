package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func showCommand(a *app) *cobra.Command {
	var in input
	var frames spans
	var bytes bool
	cmd := &cobra.Command{
		Use:     "show FILE... [-n FRAMES] [-Y FILTER]",
		Short:   "The fields of frames, as a tree",
		Example: "  odxray show trace.pcapng -n 46,48-52 -x\n  odxray show trace.pcapng -Y 'smb2.nt_status == STATUS_INVALID_TOKEN'",
	}
	in.flags(cmd)
	in.Index = true
	cmd.Flags().VarP(&frames, "frames", "n", "numbers of `FRAMES`: 46,48-52 or 100- for all from there")
	cmd.Flags().BoolVarP(&bytes, "hex", "x", false, "print the bytes too")
	format := formatFlag(cmd, report.Text, report.JSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case frames != nil:
		case in.Filter == nil:
			return usagef("which frames? Give -n, such as -n 46,48-52, or -Y FILTER")
		default:
			frames = spans{{1, toTheEnd}}
		}
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
			var missing error
			err := a.pass(ctx, c.Run, func() error {
				var numbers []int
				numbers, missing = frames.within(c.Frames())
				if in.Filter != nil {
					numbers = slices.DeleteFunc(numbers, func(n int) bool { return !c.Selects(n) })
				}
				return report.Show(a.out, c, numbers, *format, bytes)
			})
			if err == nil {
				err = missing
			}
			return err
		})
	}
	return cmd
}

// spans is runs of frame numbers, ends included.
type spans []struct{ first, last int }

func (s *spans) Type() string { return "frames" }

func (s *spans) String() string {
	var parts []string
	for _, r := range *s {
		switch {
		case r.first == r.last:
			parts = append(parts, strconv.Itoa(r.first))
		case r.last == toTheEnd:
			parts = append(parts, fmt.Sprintf("%d-", r.first))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", r.first, r.last))
		}
	}
	return strings.Join(parts, ",")
}

const toTheEnd = 1<<31 - 1

func (s *spans) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		last := first
		if err == nil && isRange {
			if last = toTheEnd; to != "" {
				last, err = strconv.Atoi(to)
			}
		}
		if err != nil || first < 1 || last < first {
			return fmt.Errorf("%q is no frame and no range of frames", part)
		}
		*s = append(*s, struct{ first, last int }{first, last})
	}
	return nil
}

// within lists the numbers up to frames, and says which are past that.
func (s spans) within(frames int) (numbers []int, missing error) {
	for _, r := range s {
		for n := r.first; n <= min(r.last, frames); n++ {
			numbers = append(numbers, n)
		}
		if past := max(r.first, frames+1); missing == nil && past <= r.last && (r.last != toTheEnd || r.first > frames) {
			missing = usagef("no frame %d: the capture has %s", past, report.Plural(frames, "frame", "frames"))
		}
	}
	return numbers, missing
}
