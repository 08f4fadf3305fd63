// Runs each operation of a script, and prints what each returned, or why it failed, as one JSON document.

export async function tell(operations) {
    const told = {};
    for (const [name, operation] of Object.entries(operations)) {
        try {
            told[name] = { returned: (await operation()) ?? null };
        } catch (error) {
            told[name] = { failure: String(error?.stack ?? error) };
        }
    }
    process.stdout.write(JSON.stringify(told), () => process.exit(0));
}
