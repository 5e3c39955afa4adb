# growth.gnuplot: gnuplot growth.gnuplot draws growth.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,2.60in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'growth.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 1,1 title 'tanh 64-w-w-1 on 256 points' noenhanced
$s0_0 << END
 9591 0.004439745 0.004439745 0.004439745
 1001881 0.009130067 0.009130067 0.009130067
 10012939 0.020270022 0.020270022 0.020270022
 100028881 0.061717455 0.061717455 0.061717455
 400058881 0.123792765 0.123792765 0.123792765
 1.0006772e+09 0.195033052 0.195033052 0.195033052
END
$s0_1 << END
 9591 0.000603800071 0.000603800071 0.000603800071
 1001881 0.00617119521 0.00617119521 0.00617119521
 10012939 0.019509314 0.019509314 0.019509314
 100028881 0.0616628963 0.0616628963 0.0616628963
 400058881 0.123317063 0.123317063 0.123317063
 1.0006772e+09 0.195033052 0.195033052 0.195033052
END
$s0_2 << END
 9591 0.000295743 0.000295743 0.000295743
 1001881 0.010060253 0.010060253 0.010060253
 10012939 0.0778047 0.0778047 0.0778047
 100028881 0.674221551 0.674221551 0.674221551
 400058881 2.4997698 2.4997698 2.4997698
 1.0006772e+09 6.36860556 6.36860556 6.36860556
END
$s0_3 << END
 9591 6.10399597e-05 6.10399597e-05 6.10399597e-05
 1001881 0.0063762669 0.0063762669 0.0063762669
 10012939 0.0637253042 0.0637253042 0.0637253042
 100028881 0.636613373 0.636613373 0.636613373
 400058881 2.546093 2.546093 2.546093
 1.0006772e+09 6.36860556 6.36860556 6.36860556
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'parameters n' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '' noenhanced
plot $s0_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'K and its eigenvalues' noenhanced, \
  $s0_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'n^(1/2)' noenhanced, \
  $s0_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'forward and adjoint: the factors' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'n' noenhanced
unset multiplot
