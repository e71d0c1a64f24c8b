// Runc for hosts whose cgroups have no controllers. In front of the real one (runc.real beside this program), it takes the limits out of a bundle
// before a container is created, and says yes to changes of limits. Rules for devices stay: they need no controller.
//
// It also keeps what is the whole machine's from containers, privileged ones too: their own mounts of proc and sysfs would be writable.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Kernel-wide, so not the host's own.
var kernelWide = []any{"/proc/sys/vm", "/proc/sys/kernel", "/proc/sys/fs", "/proc/sys/dev", "/proc/sysrq-trigger"}

func main() {
	command, bundle := parse(os.Args[1:])
	switch command {
	case "update":
		return
	case "create", "run":
		check(rewrite(filepath.Join(bundle, "config.json")))
	}
	self, err := os.Executable()
	check(err)
	check(syscall.Exec(filepath.Join(filepath.Dir(self), "runc.real"), append([]string{"runc"}, os.Args[1:]...), os.Environ()))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "runc-without-limits:", err)
		os.Exit(1)
	}
}

// Flags of runc itself whose value is an argument of its own; containerd's library writes them so.
var globalWithValue = map[string]bool{"--root": true, "--log": true, "--log-format": true, "--criu": true, "--rootless": true}

// parse finds runc's subcommand, which is the first word that is neither a flag nor a flag's value, and its bundle.
func parse(arguments []string) (command, bundle string) {
	bundle = "."
	for i := 0; i < len(arguments); i++ {
		word := arguments[i]
		switch {
		case command == "" && globalWithValue[word]:
			i++
		case command == "" && word[:min(1, len(word))] != "-":
			command = word
		case command != "" && (word == "--bundle" || word == "-b") && i+1 < len(arguments):
			i++
			bundle = arguments[i]
		case command != "" && len(word) > 9 && word[:9] == "--bundle=":
			bundle = word[9:]
		}
	}
	return command, bundle
}

func rewrite(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	spec := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	// Else numbers beyond 2^53 would change.
	decoder.UseNumber()
	if err := decoder.Decode(&spec); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if linux, ok := spec["linux"].(map[string]any); ok {
		resources, _ := linux["resources"].(map[string]any)
		linux["resources"] = map[string]any{"devices": resources["devices"]}
		readonly, _ := linux["readonlyPaths"].([]any)
		linux["readonlyPaths"] = append(readonly, kernelWide...)
	}
	mounts, _ := spec["mounts"].([]any)
	for _, entry := range mounts {
		if mount, ok := entry.(map[string]any); ok && mount["type"] == "sysfs" {
			mount["options"] = []string{"nosuid", "noexec", "nodev", "ro"}
		}
	}
	if text, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}
