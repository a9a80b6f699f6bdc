package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func listCommand(a *app) *cobra.Command {
	var in input
	var names, settings []string
	o := report.ListOptions{Separator: '\t', Aggregator: ',', Occurrence: 'a'}
	timeFormat := "r"
	cmd := &cobra.Command{
		Use:   "list FILE...",
		Short: "One line a frame, as Wireshark prints it; or the fields asked for",
		Example: `  odxray list trace.pcapng -t ad
  odxray list trace.pcapng -T fields -e frame.number -e smb2.cmd -E header=y
  odxray list trace.pcapng -T json -e smb2.fsctl.odx.copy_length`,
	}
	in.flags(cmd)
	f := cmd.Flags()
	f.StringArrayVarP(&names, "field", "e", nil, "print this `FIELD` (with -T fields, json or csv; see odxray fields)")
	f.StringArrayVarP(&settings, "option", "E", nil, "with -T fields: `OPTION` header=y|n, bom=y|n, separator=/t|/s|C, aggregator=,|/s|C,\noccurrence=f|l|a, quote=d|s|n")
	times := choiceValue{&timeFormat, []string{"r", "a", "ad", "e", "d"}}
	f.VarP(times, "time", "t", "time: r since the first frame, a of day, ad with date, e since 1970, d since the frame before")
	complete(cmd, "time", times.of)
	f.IntVarP(&o.Count, "count", "c", 0, "print `N` frames at most; 0 prints all")
	format := formatFlag(cmd, report.Text, report.Fields, report.JSON, report.CSV)
	completeFields(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Format, o.Time = *format, report.TimeFormat(timeFormat)
		o.Raw = o.Format == report.Fields && !a.interactive
		if err := listFields(&o, names); err != nil {
			return err
		}
		for _, s := range settings {
			if err := listSetting(&o, s); err != nil {
				return err
			}
		}
		if o.Count < 0 {
			return usagef("-c %d: a list cannot have fewer than no frames", o.Count)
		}
		in.Bare = o.Columns != nil && o.Format != report.JSON
		in.FieldsOnly = in.Bare && !in.strict
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
			return a.stream(ctx, func(ctx context.Context) error { return report.List(ctx, a.out, c, o) })
		})
	}
	return cmd
}

// listFields finds the fields of -e.
func listFields(o *report.ListOptions, names []string) error {
	switch {
	case o.Format == report.Fields && names == nil:
		return usagef("-T fields needs the fields to print: -e FIELD")
	case o.Format == report.Text && names != nil:
		return usagef("-e needs -T fields, json or csv")
	case names == nil:
		return nil
	}
	var bad string
	if o.Columns, bad = report.Columns(flows.Fields(), names); bad != "" {
		return usagef("no field is called %q%s", bad, didYouMean(bad, fieldNames()))
	}
	return nil
}

// fieldNames lists the names of all fields once.
func fieldNames() []string {
	var names []string
	for _, f := range report.Named(flows.Fields()) {
		names = append(names, f.Name)
	}
	return slices.Compact(names)
}

// completeFields makes shells offer field names for -e.
func completeFields(cmd *cobra.Command) {
	err := cmd.RegisterFlagCompletionFunc("field", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return fieldNames(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag is not there
	}
}

// listSetting applies a -E.
func listSetting(o *report.ListOptions, setting string) error {
	name, value, _ := strings.Cut(setting, "=")
	var err error
	switch name {
	case "header":
		err = oneOf(value, "yn")
		o.Header = value == "y"
	case "bom":
		err = oneOf(value, "yn")
		o.BOM = value == "y"
	case "separator":
		o.Separator, err = character(value)
	case "aggregator":
		o.Aggregator, err = character(value)
	case "occurrence":
		if err = oneOf(value, "fla"); err == nil {
			o.Occurrence = value[0]
		}
	case "quote":
		if err = oneOf(value, "dsn"); err == nil {
			o.Quote = map[byte]byte{'d': '"', 's': '\'', 'n': 0}[value[0]]
		}
	default:
		err = fmt.Errorf("unknown option%s", didYouMean(name, []string{"bom", "header", "separator", "aggregator", "occurrence", "quote"}))
	}
	if err != nil {
		return usagef("-E %s: %w", setting, err)
	}
	return nil
}

func oneOf(value, letters string) error {
	if len(value) != 1 || !strings.Contains(letters, value) {
		return fmt.Errorf("it must be one of %s", strings.Join(strings.Split(letters, ""), ", "))
	}
	return nil
}

// character reads a separator as tshark does: one character, /t or /s.
func character(value string) (byte, error) {
	switch {
	case value == "/t":
		return '\t', nil
	case value == "/s":
		return ' ', nil
	case len(value) == 1 && value[0] >= ' ' && value[0] <= '~':
		return value[0], nil
	}
	return 0, fmt.Errorf("it must be one printable character, /t or /s")
}
