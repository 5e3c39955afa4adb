# smallest.gnuplot: gnuplot smallest.gnuplot draws smallest.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,2.60in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'smallest.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 1,1 title 'The least eigenvalue of K at random weights as n passes d' noenhanced
$s0_0 << END
 1.09 4.54248664e-11 1.00550402e-12 1.8013124e-10
 1.21 4.09757473e-10 3.82868662e-12 3.60834584e-09
 1.45 3.69577425e-09 8.22025175e-10 1.01423391e-08
 1.69 1.08248798e-08 1.57341939e-09 2.80571657e-08
 2.05 2.39568811e-08 5.5818845e-09 7.25829143e-08
 2.41 3.69201975e-08 1.44983834e-08 9.70941953e-08
 3.01 6.66770414e-08 2.38501261e-08 1.11384762e-07
 3.97 1.14745054e-07 6.1195138e-08 1.98763736e-07
 6.01 1.70121216e-07 9.38770909e-08 2.2705983e-07
 12.01 2.44401916e-07 1.71913879e-07 3.58416404e-07
 24.01 3.44079626e-07 2.64338444e-07 4.78733563e-07
 48.01 4.2540732e-07 3.65903039e-07 5.93800007e-07
END
$s0_1 << END
 0.13 6.24211499e-26 6.24211499e-26 6.24211499e-26
 0.25 7.03623914e-26 7.03623914e-26 7.03623914e-26
 0.37 7.95326816e-26 7.95326816e-26 7.95326816e-26
 0.49 9.15081721e-26 9.15081721e-26 9.15081721e-26
 0.61 1.11772466e-25 1.11772466e-25 1.11772466e-25
 0.73 1.1032152e-25 1.1032152e-25 1.1032152e-25
 0.85 1.29470523e-25 1.29470523e-25 1.29470523e-25
 0.97 1.48152584e-25 1.48152584e-25 1.48152584e-25
END
$s0_2 << END
 1.09 2.0227131e-12 2.0227131e-12 2.0227131e-12
 1.21 1.96440954e-12 1.96440954e-12 1.96440954e-12
 1.45 1.96357618e-12 1.96357618e-12 1.96357618e-12
 1.69 1.96129115e-12 1.96129115e-12 1.96129115e-12
 2.05 1.92443479e-12 1.92443479e-12 1.92443479e-12
 2.41 1.90211902e-12 1.90211902e-12 1.90211902e-12
 3.01 1.8736669e-12 1.8736669e-12 1.8736669e-12
 3.97 1.821187e-12 1.821187e-12 1.821187e-12
 6.01 1.79570093e-12 1.79570093e-12 1.79570093e-12
 12.01 1.94217632e-12 1.94217632e-12 1.94217632e-12
 24.01 3.0679909e-12 3.0679909e-12 3.0679909e-12
 48.01 5.29912608e-12 5.29912608e-12 5.29912608e-12
END
$s0_3 << END
 1 1e-27 1e-27 1e-27
 1 1e-05 1e-05 1e-05
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'parameters over points, n / d' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'λ_min(K) over the mean eigenvalue' noenhanced
set title '' noenhanced
plot $s0_0 using 1:2:3:4 with yerrorbars lc rgb '#0072b2' pt 7 ps 0.35 title 'median and range over seeds' noenhanced, \
  $s0_1 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title '0 to what is known: at most this' noenhanced, \
  $s0_2 using 1:2 with lines lc rgb '#e69f00' dt 2 lw 1.5 title 'what it is known to' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#000000' dt 1 lw 1.5 title 'n = d' noenhanced
unset multiplot
