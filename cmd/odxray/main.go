// Command odxray opens packet captures of SMB file traffic, shows the offloaded
// copies in them and follows their tokens, and audits both in CI.
//
// One file a subcommand: flags, then one call.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
