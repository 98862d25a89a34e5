"""What a deployment on Google Cloud costs a month: operations that tests measure, times list prices.

Pure: `measured` says what one thing that happens asks of which service, `prices` what a service asks for it, `load` how
often each happens, `bill` puts them together. It must never be imported by what is deployed.
"""
