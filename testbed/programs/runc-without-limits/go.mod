module keelson.dev/testbed/runc-without-limits

go 1.26.0
